"use strict";
// A Kitchen on npm's thrift.

const thrift = require("thrift");
const { parse } = require("./dialects");
const Kitchen = require("./Kitchen");
const Pantry = require("./Pantry");
const { Burnt } = require("./kitchen_types");

const given = parse({ port: { type: "string", default: "0" }, tag: { type: "string", default: "node" } });
const notes = new Map();

// With the header protocol only an answer that is given at once has a header, so these call back at once, and sleep blocks.
function pause(ms, done) {
  if (!given.header) return setTimeout(done, ms);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  return done();
}

const cook = {
  bake: (degrees, done) => (degrees > 200 ? done(new Burnt({ reason: "too hot", degrees })) : done(null, `baked at ${degrees}`)),
  fail: (reason, done) => done(new Error(reason)),
  nothing: (done) => done(null),
  note: (key) => {
    notes.set(key, (notes.get(key) ?? 0) + 1);
  },
  noted: (key, done) => done(null, notes.get(key) ?? 0),
  sleep: (ms, done) => pause(ms, () => done(null)),
  whoami: (done) => done(null, given.tag),
};
const kinds = ["Bool", "Byte", "Short", "Int", "Long", "Double", "String", "Binary", "Dish", "Filling", "Bools", "Spices", "Set",
  "Map", "Nested"];
for (const kind of kinds) {
  cook[`echo${kind}`] = (value, done) => done(null, value);
}

// Handlers don't see the connection; a processor does, so the request's headers are taken there.
let seen = {};
cook.header = (name, done) => done(null, seen[name] ?? "");

class HeaderProcessor {
  constructor(inner) {
    this.inner = inner;
  }

  process(input, output) {
    if (!given.header) return this.inner.process(input, output);
    // A header that was there once stays, else: the library never forgets.
    input.trans.clearReadHeaders();
    const begin = input.readMessageBegin();
    seen = { ...input.trans.getReadHeaders() };
    output.trans.setWriteHeader("answered-by", given.tag);
    const rest = Object.create(input);
    rest.readMessageBegin = () => begin;
    return this.inner.process(rest, output);
  }
}

let processor = new Kitchen.Processor(cook);
if (given.multiplexed) {
  const both = new thrift.MultiplexedProcessor();
  both.registerProcessor("Kitchen", processor);
  both.registerProcessor("Pantry", new Pantry.Processor({
    echoString: (value, done) => done(null, `pantry: ${value}`),
    shelf: (number, done) => done(null, `shelf ${number}`),
  }));
  processor = both;
}
const server = thrift.createMultiplexServer(new HeaderProcessor(processor), given.options);
server.on("error", (problem) => console.error("server:", problem.message));
server.listen(Number(given.port), "127.0.0.1", () => console.log(`listening on 127.0.0.1:${server.address().port}`));
process.on("SIGTERM", () => process.exit(0));
