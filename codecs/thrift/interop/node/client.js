"use strict";
// Calls a Kitchen with npm's thrift.

const thrift = require("thrift");
const { parse } = require("./dialects");
const { cases, Skipped } = require("./cases");
const KitchenOfTomorrow = require("./KitchenOfTomorrow");
const Pantry = require("./Pantry");

const given = parse({ address: { type: "string" }, cases: { type: "string", default: "all" } });
const [host, port] = given.address.split(":");
const PATIENCE = 20000;

/** A connection with the stubs of both services on it. */
function connect() {
  const connection = thrift.createConnection(host, Number(port), given.options);
  const c = { given, connection, connect };
  c.broken = new Promise((_, fail) => {
    connection.on("error", fail);
    connection.on("close", () => fail(new Error("the connection was closed")));
  });
  c.broken.catch(() => {});
  if (given.multiplexed) {
    const both = new thrift.Multiplexer();
    c.kitchen = both.createClient("Kitchen", KitchenOfTomorrow, connection);
    c.pantry = both.createClient("Pantry", Pantry, connection);
  } else {
    c.kitchen = thrift.createClient(KitchenOfTomorrow, connection);
  }
  return c;
}

async function run(one) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`no answer after ${PATIENCE} ms`)), PATIENCE);
  });
  const c = connect();
  try {
    await Promise.race([one(c), c.broken, late]);
  } finally {
    clearTimeout(timer);
    c.connection.destroy();
  }
}

function why(problem) {
  const text = problem?.message ?? String(problem);
  return `${problem?.name ?? typeof problem}: ${text}`.replace(/\s+/g, " ").slice(0, 300);
}

async function main() {
  let failed = false;
  let outside = null;
  process.on("uncaughtException", (problem) => {
    outside = problem;
  });
  for (const name of given.cases === "all" ? Object.keys(cases) : given.cases.split(",")) {
    outside = null;
    try {
      await run(cases[name]);
      console.log(`ok ${name}`);
    } catch (problem) {
      if (problem instanceof Skipped) {
        console.log(`skipped ${name}: ${problem.message}`);
      } else {
        failed = true;
        console.log(`FAILED ${name}: ${why(outside ?? problem)}`);
      }
    }
  }
  process.exit(failed ? 1 : 0);
}

main();
