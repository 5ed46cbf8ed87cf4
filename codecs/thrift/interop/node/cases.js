"use strict";
// The cases of the Node client.

const assert = require("node:assert/strict");
const { randomUUID } = require("node:crypto");
const { setTimeout: pause } = require("node:timers/promises");
const Int64 = require("node-int64");
const { Thrift } = require("thrift");
const { Burnt, Dish, Filling, Spice, Taste } = require("./kitchen_types");

/** The library can't do this case. */
class Skipped extends Error {}

const { TApplicationException, TApplicationExceptionType: Type } = Thrift;

/** Numbers in place of Int64 objects, and nothing for null, so that values can be compared. */
function plain(value) {
  if (value instanceof Int64) return value.toOctetString();
  if (Buffer.isBuffer(value)) return `bytes ${value.toString("hex")}`;
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null).map(([key, inner]) => [key, plain(inner)]));
}

function same(seen, wanted) {
  try {
    assert.deepEqual(plain(seen), plain(wanted));
  } catch {
    throw new Error(`${JSON.stringify(plain(seen))?.slice(0, 200)} instead of ${JSON.stringify(plain(wanted))?.slice(0, 200)}`);
  }
}

async function baseTypes({ kitchen }) {
  for (const value of [true, false]) same(await kitchen.echoBool(value), value);
  for (const [name, bits] of [["Byte", 8], ["Short", 16], ["Int", 32]]) {
    for (const value of [0, 1, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))]) same(await kitchen[`echo${name}`](value), value);
  }
  for (const hex of ["0000000000000000", "0000000000000001", "ffffffffffffffff", "7fffffffffffffff", "8000000000000000"]) {
    same(await kitchen.echoLong(new Int64(hex)), new Int64(hex));
  }
  for (const value of [0, 1.5, 5e-324, Number.MAX_VALUE, Infinity, -Infinity, NaN]) {
    const seen = await kitchen.echoDouble(value);
    if (!Object.is(seen, value)) throw new Error(`double ${seen} instead of ${value}`);
  }
  const octets = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  same(await kitchen.echoBinary(octets), octets);
}

async function strings({ kitchen }) {
  for (const value of ["", "a", "Käse über Öl", "🍲 soup 🥖", "x".repeat(40000)]) same(await kitchen.echoString(value), value);
}

async function structs({ kitchen }) {
  const spices = [{ name: "salt", grams: 5, hot: false }, { name: "chili", hot: true }, { name: "" }].map((one) => new Spice(one));
  const full = new Dish({
    name: "Gulasch 🍲", main: new Spice({ name: "paprika", grams: 20, hot: true }), spices, price: 12.5,
    stock: { pot: new Int64(1), plate: new Int64("ffffff0000000000") }, picture: Buffer.from([0, 255, 128]), vegan: true,
    taste: Taste.BITTER, shelf: -7, remark: "far off",
  });
  for (const value of [full, new Dish({ name: "plain", spices: [], stock: {}, vegan: false })]) {
    same(await kitchen.echoDish(value), value);
  }
}

async function unions({ kitchen }) {
  const number = new Int64("8000000000000000");
  for (const value of [{ number }, { text: "jam" }, { spice: new Spice({ name: "salt", grams: 1 }) }, { many: [1, 2, 3] }]) {
    const filling = new Filling(value);
    same(await kitchen.echoFilling(filling), filling);
  }
}

async function lists({ kitchen }) {
  const mixed = Array(5).fill([true, false, false, true]).flat();
  for (const value of [[], [true], mixed]) same(await kitchen.echoBools(value), value);
  const spices = Array.from({ length: 40 }, (_, i) => new Spice({ name: `n${i}`, grams: i }));
  for (const value of [[], spices]) same(await kitchen.echoSpices(value), value);
}

async function sets({ kitchen }) {
  for (const value of [[], [-2147483648, -1, 0, 2147483647]]) {
    same((await kitchen.echoSet(value)).sort((a, b) => a - b), value);
  }
}

async function maps({ kitchen }) {
  for (const value of [{}, { "": [], primes: [2, 3, 5, 7], "köln": [-1] }]) same(await kitchen.echoMap(value), value);
  const nested = { 1: { a: new Spice({ name: "salt", grams: 1, hot: true }) }, "-2": {} };
  for (const value of [{}, nested]) same(await kitchen.echoNested(value), value);
}

async function thrown(call) {
  try {
    await call();
  } catch (problem) {
    return problem;
  }
  throw new Error("no exception");
}

async function declaredException({ kitchen }) {
  same(await kitchen.bake(180), "baked at 180");
  const burnt = await thrown(() => kitchen.bake(999));
  if (!(burnt instanceof Burnt)) throw burnt;
  same([burnt.reason, burnt.degrees], ["too hot", 999]);
  same(await kitchen.bake(10), "baked at 10");
}

async function applicationException(call, ...types) {
  const answer = await thrown(call);
  if (!(answer instanceof TApplicationException)) throw answer;
  if (!types.includes(answer.type)) throw new Error(`type ${answer.type}, message ${answer.message}`);
}

async function undeclaredException({ kitchen }) {
  await applicationException(() => kitchen.fail("oven"), Type.INTERNAL_ERROR, Type.UNKNOWN);
  same(await kitchen.echoInt(3), 3);
}

async function unknownMethod({ kitchen }) {
  await applicationException(() => kitchen.notYet("x"), Type.UNKNOWN_METHOD, Type.UNKNOWN);
  same(await kitchen.echoInt(4), 4);
}

async function nothing({ kitchen }) {
  same((await kitchen.nothing()) ?? null, null);
  await kitchen.sleep(1);
}

async function oneway({ kitchen }) {
  const key = `node-${randomUUID()}`;
  for (let i = 0; i < 3; i++) kitchen.note(key);
  same(await kitchen.echoString("after"), "after");
  for (let turn = 0; turn < 500 && (await kitchen.noted(key)) !== 3; turn++) await pause(10);
  same(await kitchen.noted(key), 3);
}

async function large({ kitchen }) {
  const text = "0123456789abcdeö".repeat(61681);
  same((await kitchen.echoString(text)) === text, true);
  const octets = Buffer.alloc(1 << 20, Buffer.from([0, 1, 127, 128, 255, 82, 130, 33]));
  same(Buffer.compare(await kitchen.echoBinary(octets), octets), 0);
}

async function pipelined({ kitchen }) {
  const calls = Array.from({ length: 200 }, (_, i) => kitchen.echoString(`n${i}`));
  const seen = await Promise.all(calls);
  seen.forEach((value, i) => same(value, `n${i}`));
}

async function concurrent({ connect }) {
  async function one(number) {
    const mine = connect();
    try {
      for (let turn = 0; turn < 20; turn++) {
        const call = mine.kitchen.echoString(`${number}/${turn}`);
        same(await Promise.race([call, mine.broken]), `${number}/${turn}`);
      }
    } finally {
      mine.connection.destroy();
    }
  }
  await Promise.all(Array.from({ length: 50 }, (_, number) => one(number)));
}

async function multiplexed({ given, kitchen, pantry }) {
  if (!given.multiplexed) throw new Skipped("started without --multiplexed");
  same(await kitchen.echoString("soup"), "soup");
  same(await pantry.echoString("soup"), "pantry: soup");
  same(await pantry.shelf(7), "shelf 7");
  same(await kitchen.echoString("soup"), "soup");
}

async function headers({ given, kitchen }) {
  if (!given.header) throw new Skipped("no headers on this transport");
  same(await kitchen.header("absent"), "");
  kitchen.output.setWriteHeader("tenant", "blaü");
  kitchen.output.setWriteHeader("empty", "");
  let answer = null;
  const receive = kitchen.recv_header;
  kitchen.recv_header = (input, ...rest) => {
    answer = { ...input.trans.getReadHeaders() };
    return receive.call(kitchen, input, ...rest);
  };
  same(await kitchen.header("tenant"), "blaü");
  if (!answer || !("answered-by" in answer)) throw new Error("the answer has no header answered-by");
}

const cases = {
  "base-types": baseTypes, strings, structs, unions, lists, sets, maps, "declared-exception": declaredException,
  "undeclared-exception": undeclaredException, "unknown-method": unknownMethod, void: nothing, oneway, large, pipelined, concurrent,
  multiplexed, headers,
};

module.exports = { cases, Skipped };
