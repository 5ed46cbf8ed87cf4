// What the interop programs offer and call. Every language generates its code from this file when it is built.

namespace java org.metaproto.interop.kitchen
namespace go kitchen
namespace py kitchen
namespace cpp kitchen

enum Taste {
  SWEET = 1,
  SOUR = 2,
  BITTER = 70000,
}

struct Spice {
  1: required string name;
  2: optional i32 grams;
  3: optional bool hot;
}

// Ids 20 and 300 are further than 15 from the one before, which the compact protocol writes in its long form.
struct Dish {
  1: string name;
  2: optional Spice main;
  3: list<Spice> spices;
  4: optional double price;
  5: map<string, i64> stock;
  6: optional binary picture;
  7: bool vegan;
  8: optional Taste taste;
  20: optional i16 shelf;
  300: optional string remark;
}

union Filling {
  1: i64 number;
  2: string text;
  3: Spice spice;
  4: list<i32> many;
}

exception Burnt {
  1: string reason;
  2: i32 degrees;
}

service Kitchen {
  bool echoBool(1: bool value);
  i8 echoByte(1: i8 value);
  i16 echoShort(1: i16 value);
  i32 echoInt(1: i32 value);
  i64 echoLong(1: i64 value);
  double echoDouble(1: double value);
  string echoString(1: string value);
  binary echoBinary(1: binary value);
  Dish echoDish(1: Dish value);
  Filling echoFilling(1: Filling value);
  list<bool> echoBools(1: list<bool> value);
  list<Spice> echoSpices(1: list<Spice> value);
  set<i32> echoSet(1: set<i32> value);
  map<string, list<i32>> echoMap(1: map<string, list<i32>> value);
  map<i32, map<string, Spice>> echoNested(1: map<i32, map<string, Spice>> value);

  // Answers "baked at N", or Burnt over 200 degrees.
  string bake(1: i32 degrees) throws (1: Burnt burnt);
  // Ends in an exception that is not declared here.
  void fail(1: string reason);
  void nothing();
  oneway void note(1: string key);
  // How often note was called with this key.
  i32 noted(1: string key);
  void sleep(1: i32 ms);
  // The tag of the server that answers.
  string whoami();
  // The info header of that name as the server saw it, empty without one.
  string header(1: string name);
}

// What clients use, and no server offers: notYet is the unknown method.
service KitchenOfTomorrow extends Kitchen {
  string notYet(1: string value);
}

// The second service of a multiplexed server. Its echoString differs from Kitchen's, so a mix-up shows.
service Pantry {
  string echoString(1: string value);
  string shelf(1: i32 number);
}
