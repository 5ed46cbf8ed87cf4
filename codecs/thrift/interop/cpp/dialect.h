// The command line, and transport and protocol by the names that it has for them.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/protocol/THeaderProtocol.h>
#include <thrift/transport/TBufferTransports.h>

namespace interop {

using apache::thrift::protocol::TBinaryProtocolFactory;
using apache::thrift::protocol::TCompactProtocolFactory;
using apache::thrift::protocol::THeaderProtocolFactory;
using apache::thrift::protocol::TProtocolFactory;
using apache::thrift::transport::TBufferedTransportFactory;
using apache::thrift::transport::TFramedTransportFactory;
using apache::thrift::transport::TTransportFactory;

class Dialect {
public:
  Dialect(int count, char** words) {
    for (int at = 1; at < count; ++at) {
      const bool flag = at + 1 == count || std::strncmp(words[at + 1], "--", 2) == 0;
      const std::string name = words[at];
      given_[name] = flag ? "yes" : words[++at];
    }
  }

  std::string option(const std::string& name, const std::string& otherwise) const {
    const auto found = given_.find("--" + name);
    return found == given_.end() ? otherwise : found->second;
  }

  bool multiplexed() const { return given_.count("--multiplexed") != 0; }
  std::string transport() const { return option("transport", "framed"); }
  std::string protocol() const { return option("protocol", "binary"); }
  bool header() const { return transport().compare(0, 6, "header") == 0; }

  std::shared_ptr<TTransportFactory> transports() const {
    if (header()) return std::make_shared<TTransportFactory>();
    if (transport() == "framed") return std::make_shared<TFramedTransportFactory>();
    if (transport() == "buffered") return std::make_shared<TBufferedTransportFactory>();
    throw std::invalid_argument("no transport " + transport());
  }

  std::shared_ptr<TProtocolFactory> protocols() const {
    if (header() && protocol() != "oldbinary") return std::make_shared<THeaderProtocolFactory>();
    if (header()) throw std::invalid_argument("no old binary protocol inside of THeader");
    if (protocol() == "compact") return std::make_shared<TCompactProtocolFactory>();
    const bool strict = protocol() == "binary";
    return std::make_shared<TBinaryProtocolFactory>(0, 0, strict, strict);
  }

private:
  std::map<std::string, std::string> given_;
};

}  // namespace interop
