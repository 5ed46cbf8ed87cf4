// Calls a Kitchen with Apache Thrift for C++.

#include <algorithm>
#include <cmath>
#include <csignal>
#include <functional>
#include <future>
#include <iostream>
#include <limits>
#include <sstream>
#include <thread>

#include <thrift/TApplicationException.h>
#include <thrift/TOutput.h>
#include <thrift/protocol/TMultiplexedProtocol.h>
#include <thrift/transport/TSocket.h>

#include "KitchenOfTomorrow.h"
#include "Pantry.h"
#include "dialect.h"

using namespace kitchen;
using apache::thrift::TApplicationException;
using apache::thrift::protocol::THeaderProtocol;
using apache::thrift::protocol::TMultiplexedProtocol;
using apache::thrift::protocol::TProtocol;
using apache::thrift::transport::THeaderTransport;
using apache::thrift::transport::TSocket;
using apache::thrift::transport::TTransport;
using interop::Dialect;

namespace {

struct Skipped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void require(bool fine, const std::string& why) {
  if (!fine) throw std::runtime_error(why);
}

// A connection with the stubs of both services on it.
struct Connection {
  explicit Connection(const Dialect& words) : dialect(words) {
    const std::string address = words.option("address", "");
    const auto colon = address.rfind(':');
    auto socket = std::make_shared<TSocket>(address.substr(0, colon), std::stoi(address.substr(colon + 1)));
    socket->setRecvTimeout(20000);
    socket->setSendTimeout(20000);
    if (words.header()) {
      const bool compact = words.protocol() == "compact";
      namespace protocols = apache::thrift::protocol;
      header = std::make_shared<THeaderProtocol>(socket, compact ? protocols::T_COMPACT_PROTOCOL : protocols::T_BINARY_PROTOCOL);
      protocol = header;
      auto transport = std::dynamic_pointer_cast<THeaderTransport>(header->getTransport());
      if (words.transport() == "header-zlib") transport->setTransform(THeaderTransport::ZLIB_TRANSFORM);
    } else {
      protocol = words.protocols()->getProtocol(words.transports()->getTransport(socket));
    }
    kitchen = std::make_unique<KitchenOfTomorrowClient>(protocol, named("Kitchen"));
    pantry = std::make_unique<PantryClient>(protocol, named("Pantry"));
    socket->open();
  }

  std::shared_ptr<TProtocol> named(const std::string& service) const {
    if (!dialect.multiplexed()) return protocol;
    return std::make_shared<TMultiplexedProtocol>(protocol, service);
  }

  const Dialect& dialect;
  std::shared_ptr<THeaderProtocol> header;
  std::shared_ptr<TProtocol> protocol;
  std::unique_ptr<KitchenOfTomorrowClient> kitchen;
  std::unique_ptr<PantryClient> pantry;
};

template <typename T>
std::string told(const T& value) {
  std::ostringstream text;
  text << value;
  return text.str().substr(0, 200);
}

// For types that come back as a return value.
template <typename T>
void same(const char* what, const T& seen, const T& wanted) {
  require(seen == wanted, std::string(what) + ": " + told(seen) + " instead of " + told(wanted));
}

// For types that come back through a reference.
template <typename T>
void echoes(KitchenClient& k, void (KitchenClient::*echo)(T&, const T&), const std::vector<T>& values) {
  for (std::size_t at = 0; at < values.size(); ++at) {
    T seen;
    (k.*echo)(seen, values[at]);
    require(seen == values[at], "value " + std::to_string(at) + " came back changed");
  }
}

template <typename T>
void limits(const char* what, KitchenClient& k, T (KitchenClient::*echo)(const T)) {
  for (const T value : {T(0), T(1), T(-1), std::numeric_limits<T>::max(), std::numeric_limits<T>::min()}) {
    same(what, (k.*echo)(value), value);
  }
}

Spice spice(const std::string& name) {
  Spice made;
  made.__set_name(name);
  return made;
}

Spice spice(const std::string& name, int32_t grams) {
  Spice made = spice(name);
  made.__set_grams(grams);
  return made;
}

void baseTypes(Connection& c) {
  auto& k = *c.kitchen;
  same("bool", k.echoBool(true), true);
  same("bool", k.echoBool(false), false);
  limits<int8_t>("byte", k, &KitchenClient::echoByte);
  limits<int16_t>("i16", k, &KitchenClient::echoShort);
  limits<int32_t>("i32", k, &KitchenClient::echoInt);
  limits<int64_t>("i64", k, &KitchenClient::echoLong);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double value : {0.0, 1.5, 5e-324, std::numeric_limits<double>::max(), infinity, -infinity}) {
    same("double", k.echoDouble(value), value);
  }
  require(std::isnan(k.echoDouble(std::numeric_limits<double>::quiet_NaN())), "no NaN");
  std::string octets;
  for (int at = 0; at < 256; ++at) octets.push_back(static_cast<char>(at));
  echoes<std::string>(k, &KitchenClient::echoBinary, {octets});
}

void strings(Connection& c) {
  echoes<std::string>(*c.kitchen, &KitchenClient::echoString,
                      {"", "a", "Käse über Öl", "🍲 soup 🥖", std::string(40000, 'x')});
}

void structs(Connection& c) {
  Dish full;
  full.__set_name("Gulasch 🍲");
  Spice paprika = spice("paprika", 20);
  paprika.__set_hot(true);
  full.__set_main(paprika);
  Spice salt = spice("salt", 5);
  salt.__set_hot(false);
  Spice chili = spice("chili");
  chili.__set_hot(true);
  full.__set_spices({salt, chili, spice("")});
  full.__set_price(12.5);
  full.__set_stock({{"pot", 1}, {"plate", -(int64_t(1) << 40)}});
  full.__set_picture(std::string("\x00\xff\x80", 3));
  full.__set_vegan(true);
  full.__set_taste(Taste::BITTER);
  full.__set_shelf(-7);
  full.__set_remark("far off");
  Dish plain;
  plain.__set_name("plain");
  plain.__set_vegan(false);
  echoes<Dish>(*c.kitchen, &KitchenClient::echoDish, {full, plain});
}

void unions(Connection& c) {
  Filling number, text, inner, many;
  number.__set_number(std::numeric_limits<int64_t>::min());
  text.__set_text("jam");
  inner.__set_spice(spice("salt", 1));
  many.__set_many({1, 2, 3});
  echoes<Filling>(*c.kitchen, &KitchenClient::echoFilling, {number, text, inner, many});
}

void lists(Connection& c) {
  std::vector<bool> mixed;
  for (int turn = 0; turn < 5; ++turn) mixed.insert(mixed.end(), {true, false, false, true});
  echoes<std::vector<bool>>(*c.kitchen, &KitchenClient::echoBools, {{}, {true}, mixed});
  std::vector<Spice> spices;
  for (int number = 0; number < 40; ++number) spices.push_back(spice("n" + std::to_string(number), number));
  echoes<std::vector<Spice>>(*c.kitchen, &KitchenClient::echoSpices, {{}, spices});
}

void sets(Connection& c) {
  const int32_t top = std::numeric_limits<int32_t>::max();
  echoes<std::set<int32_t>>(*c.kitchen, &KitchenClient::echoSet, {{}, {0, -1, top, -top - 1}});
}

void maps(Connection& c) {
  using Map = std::map<std::string, std::vector<int32_t>>;
  using Nested = std::map<int32_t, std::map<std::string, Spice>>;
  echoes<Map>(*c.kitchen, &KitchenClient::echoMap, {Map{}, Map{{"", {}}, {"primes", {2, 3, 5, 7}}, {"köln", {-1}}}});
  echoes<Nested>(*c.kitchen, &KitchenClient::echoNested, {Nested{}, Nested{{1, {{"a", spice("salt", 1)}}}, {-2, {}}}});
}

std::string bake(Connection& c, int32_t degrees) {
  std::string answer;
  c.kitchen->bake(answer, degrees);
  return answer;
}

void declaredException(Connection& c) {
  same("bake", bake(c, 180), std::string("baked at 180"));
  try {
    bake(c, 999);
    require(false, "no exception");
  } catch (const Burnt& burnt) {
    require(burnt.reason == "too hot" && burnt.degrees == 999, "burnt otherwise");
  }
  same("bake", bake(c, 10), std::string("baked at 10"));
}

void applicationException(const std::function<void()>& call, std::initializer_list<int> types) {
  try {
    call();
  } catch (const TApplicationException& answer) {
    for (const int type : types) {
      if (answer.getType() == type) return;
    }
    throw std::runtime_error("type " + std::to_string(answer.getType()) + ", message " + answer.what());
  }
  throw std::runtime_error("no exception");
}

void undeclaredException(Connection& c) {
  applicationException([&] { c.kitchen->fail("oven"); }, {TApplicationException::INTERNAL_ERROR, TApplicationException::UNKNOWN});
  same("echoInt", c.kitchen->echoInt(3), 3);
}

void unknownMethod(Connection& c) {
  std::string answer;
  applicationException([&] { c.kitchen->notYet(answer, "x"); },
                       {TApplicationException::UNKNOWN_METHOD, TApplicationException::UNKNOWN});
  same("echoInt", c.kitchen->echoInt(4), 4);
}

void nothing(Connection& c) {
  c.kitchen->nothing();
  c.kitchen->sleep(1);
}

void oneway(Connection& c) {
  const std::string key = "cpp-" + std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
  for (int turn = 0; turn < 3; ++turn) c.kitchen->note(key);
  echoes<std::string>(*c.kitchen, &KitchenClient::echoString, {"after"});
  for (int turn = 0; turn < 500 && c.kitchen->noted(key) != 3; ++turn) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  same("noted", c.kitchen->noted(key), 3);
}

void large(Connection& c) {
  std::string text;
  while (text.size() < (1U << 20)) text += "0123456789abcdeö";
  std::string octets(1U << 20, '\0');
  for (std::size_t at = 0; at < octets.size(); ++at) octets[at] = static_cast<char>(at * 31);
  echoes<std::string>(*c.kitchen, &KitchenClient::echoString, {text});
  echoes<std::string>(*c.kitchen, &KitchenClient::echoBinary, {octets});
}

void pipelined(Connection& c) {
  for (int number = 0; number < 200; ++number) c.kitchen->send_echoString("n" + std::to_string(number));
  for (int number = 0; number < 200; ++number) {
    std::string answer;
    c.kitchen->recv_echoString(answer);
    same("answer", answer, "n" + std::to_string(number));
  }
}

void concurrent(Connection& c) {
  std::vector<std::future<void>> all;
  for (int number = 0; number < 50; ++number) {
    all.push_back(std::async(std::launch::async, [&c, number] {
      Connection mine(c.dialect);
      for (int turn = 0; turn < 20; ++turn) {
        echoes<std::string>(*mine.kitchen, &KitchenClient::echoString, {std::to_string(number) + "/" + std::to_string(turn)});
      }
    }));
  }
  for (auto& one : all) one.get();
}

void multiplexed(Connection& c) {
  if (!c.dialect.multiplexed()) throw Skipped("started without --multiplexed");
  echoes<std::string>(*c.kitchen, &KitchenClient::echoString, {"soup"});
  std::string answer;
  c.pantry->echoString(answer, "soup");
  same("pantry", answer, std::string("pantry: soup"));
  c.pantry->shelf(answer, 7);
  same("pantry", answer, std::string("shelf 7"));
  echoes<std::string>(*c.kitchen, &KitchenClient::echoString, {"soup"});
}

void headers(Connection& c) {
  if (!c.header) throw Skipped("no headers on this transport");
  std::string answer;
  c.kitchen->header(answer, "absent");
  same("absent", answer, std::string());
  c.header->setHeader("tenant", "blaü");
  c.header->setHeader("empty", "");
  c.kitchen->header(answer, "tenant");
  same("tenant", answer, std::string("blaü"));
  require(c.header->getHeaders().count("answered-by") != 0, "the answer has no header answered-by");
}

const std::vector<std::pair<std::string, void (*)(Connection&)>> CASES = {
    {"base-types", baseTypes}, {"strings", strings}, {"structs", structs}, {"unions", unions}, {"lists", lists},
    {"sets", sets}, {"maps", maps}, {"declared-exception", declaredException},
    {"undeclared-exception", undeclaredException}, {"unknown-method", unknownMethod}, {"void", nothing},
    {"oneway", oneway}, {"large", large}, {"pipelined", pipelined}, {"concurrent", concurrent},
    {"multiplexed", multiplexed}, {"headers", headers},
};

/** The names of cases, joined by commas, in the order in which they are asked for. */
std::vector<std::string> chosen(const std::string& words) {
  std::vector<std::string> names;
  std::istringstream rest(words);
  for (std::string name; std::getline(rest, name, ',');) names.push_back(name);
  if (words == "all") {
    names.clear();
    for (const auto& one : CASES) names.push_back(one.first);
  }
  return names;
}

}  // namespace

int main(int count, char** words) {
  std::signal(SIGPIPE, SIG_IGN);
  apache::thrift::GlobalOutput.setOutputFunction([](const char*) {});
  const Dialect dialect(count, words);
  bool failed = false;
  for (const std::string& name : chosen(dialect.option("cases", "all"))) {
    try {
      const auto one = std::find_if(CASES.begin(), CASES.end(), [&](const auto& each) { return each.first == name; });
      require(one != CASES.end(), "no such case");
      Connection connection(dialect);
      one->second(connection);
      std::cout << "ok " << name << std::endl;
    } catch (const Skipped& reason) {
      std::cout << "skipped " << name << ": " << reason.what() << std::endl;
    } catch (const std::exception& problem) {
      failed = true;
      std::cout << "FAILED " << name << ": " << problem.what() << std::endl;
    }
  }
  return failed ? 1 : 0;
}
