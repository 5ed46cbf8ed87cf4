"use strict";
// Transports and protocols of npm's thrift by the names of the command line.

const { inherits, parseArgs } = require("node:util");
const thrift = require("thrift");
const { SubprotocolId } = require("thrift/lib/nodejs/lib/thrift/header_transport");

/** The binary protocol without a version in its messages. A function, as the library calls it without `new`, too. */
function OldBinaryProtocol(transport) {
  thrift.TBinaryProtocol.call(this, transport, false, false);
}
inherits(OldBinaryProtocol, thrift.TBinaryProtocol);

const TRANSPORTS = {
  framed: thrift.TFramedTransport,
  buffered: thrift.TBufferedTransport,
  // The header protocol reads the length itself, so the transport below must leave it alone.
  header: thrift.TBufferedTransport,
};
const PROTOCOLS = { binary: thrift.TBinaryProtocol, oldbinary: OldBinaryProtocol, compact: thrift.TCompactProtocol };

/** Generated clients flush the transport and not the protocol, so the headers would never be written. */
function clientHeaderTransport(protocolId) {
  return class extends thrift.TBufferedTransport {
    constructor(...given) {
      super(...given);
      this.setProtocolId(protocolId);
    }

    flush(...given) {
      this.writeHeaders();
      return super.flush(...given);
    }
  };
}

function parse(more) {
  const options = {
    transport: { type: "string", default: "framed" },
    protocol: { type: "string", default: "binary" },
    multiplexed: { type: "boolean", default: false },
    ...more,
  };
  const given = parseArgs({ options }).values;
  given.header = given.transport === "header";
  given.options = { transport: TRANSPORTS[given.transport], protocol: PROTOCOLS[given.protocol] };
  if (given.header) {
    given.options.protocol = thrift.THeaderProtocol;
    const inner = given.protocol === "compact" ? SubprotocolId.COMPACT : SubprotocolId.BINARY;
    if (given.address) given.options.transport = clientHeaderTransport(inner);
  }
  if (!given.options.transport || !given.options.protocol || (given.header && given.protocol === "oldbinary")) {
    console.log(`skipped all: no ${given.transport} with ${given.protocol} in this library`);
    process.exit(2);
  }
  return given;
}

module.exports = { parse };
