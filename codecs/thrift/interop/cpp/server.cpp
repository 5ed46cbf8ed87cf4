// A Kitchen on Apache Thrift for C++.

#include <chrono>
#include <csignal>
#include <iostream>
#include <mutex>
#include <thread>

#include <thrift/TOutput.h>
#include <thrift/processor/TMultiplexedProcessor.h>
#include <thrift/server/TThreadedServer.h>
#include <thrift/transport/TServerSocket.h>

#include "Kitchen.h"
#include "Pantry.h"
#include "dialect.h"

using namespace kitchen;
using apache::thrift::TMultiplexedProcessor;
using apache::thrift::TProcessor;
using apache::thrift::protocol::THeaderProtocol;
using apache::thrift::protocol::TProtocol;
using apache::thrift::server::TServerEventHandler;
using apache::thrift::server::TThreadedServer;
using apache::thrift::transport::TServerSocket;
using apache::thrift::transport::TTransport;

namespace {

// Of the connection that this thread serves.
thread_local THeaderProtocol* requests = nullptr;
thread_local THeaderProtocol* answers = nullptr;

class Cook : public KitchenIf {
public:
  explicit Cook(std::string tag) : tag_(std::move(tag)) {}

  bool echoBool(const bool value) override { return value; }
  int8_t echoByte(const int8_t value) override { return value; }
  int16_t echoShort(const int16_t value) override { return value; }
  int32_t echoInt(const int32_t value) override { return value; }
  int64_t echoLong(const int64_t value) override { return value; }
  double echoDouble(const double value) override { return value; }
  void echoString(std::string& answer, const std::string& value) override { answer = value; }
  void echoBinary(std::string& answer, const std::string& value) override { answer = value; }
  void echoDish(Dish& answer, const Dish& value) override { answer = value; }
  void echoFilling(Filling& answer, const Filling& value) override { answer = value; }
  void echoBools(std::vector<bool>& answer, const std::vector<bool>& value) override { answer = value; }
  void echoSpices(std::vector<Spice>& answer, const std::vector<Spice>& value) override { answer = value; }
  void echoSet(std::set<int32_t>& answer, const std::set<int32_t>& value) override { answer = value; }
  void echoMap(std::map<std::string, std::vector<int32_t>>& answer,
               const std::map<std::string, std::vector<int32_t>>& value) override {
    answer = value;
  }
  void echoNested(std::map<int32_t, std::map<std::string, Spice>>& answer,
                  const std::map<int32_t, std::map<std::string, Spice>>& value) override {
    answer = value;
  }

  void bake(std::string& answer, const int32_t degrees) override {
    if (degrees > 200) {
      Burnt burnt;
      burnt.__set_reason("too hot");
      burnt.__set_degrees(degrees);
      throw burnt;
    }
    answer = "baked at " + std::to_string(degrees);
  }

  void fail(const std::string& reason) override { throw std::runtime_error(reason); }
  void nothing() override {}

  void note(const std::string& key) override {
    const std::lock_guard<std::mutex> held(mutex_);
    ++notes_[key];
  }

  int32_t noted(const std::string& key) override {
    const std::lock_guard<std::mutex> held(mutex_);
    return notes_[key];
  }

  void sleep(const int32_t ms) override { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }
  void whoami(std::string& answer) override { answer = tag_; }

  void header(std::string& answer, const std::string& name) override {
    if (requests == nullptr || answers == nullptr) return;
    answers->setHeader("answered-by", tag_);
    const auto found = requests->getHeaders().find(name);
    if (found != requests->getHeaders().end()) answer = found->second;
  }

private:
  const std::string tag_;
  std::mutex mutex_;
  std::map<std::string, int32_t> notes_;
};

class Shelves : public PantryIf {
public:
  void echoString(std::string& answer, const std::string& value) override { answer = "pantry: " + value; }
  void shelf(std::string& answer, const int32_t number) override { answer = "shelf " + std::to_string(number); }
};

// Says where the server listens, and remembers the protocols of each connection.
class Watch : public TServerEventHandler {
public:
  explicit Watch(std::shared_ptr<TServerSocket> listener) : listener_(std::move(listener)) {}

  void preServe() override { std::cout << "listening on 127.0.0.1:" << listener_->getPort() << std::endl; }

  void* createContext(std::shared_ptr<TProtocol> input, std::shared_ptr<TProtocol> output) override {
    requests = dynamic_cast<THeaderProtocol*>(input.get());
    answers = dynamic_cast<THeaderProtocol*>(output.get());
    return nullptr;
  }

private:
  const std::shared_ptr<TServerSocket> listener_;
};

}  // namespace

int main(int count, char** words) {
  std::signal(SIGTERM, [](int) { std::_Exit(0); });
  std::signal(SIGPIPE, SIG_IGN);
  apache::thrift::GlobalOutput.setOutputFunction([](const char*) {});
  const interop::Dialect dialect(count, words);
  std::shared_ptr<TProcessor> processor
      = std::make_shared<KitchenProcessor>(std::make_shared<Cook>(dialect.option("tag", "cpp")));
  if (dialect.multiplexed()) {
    auto both = std::make_shared<TMultiplexedProcessor>();
    both->registerProcessor("Kitchen", processor);
    both->registerProcessor("Pantry", std::make_shared<PantryProcessor>(std::make_shared<Shelves>()));
    processor = both;
  }
  auto listener = std::make_shared<TServerSocket>("127.0.0.1", std::stoi(dialect.option("port", "0")));
  TThreadedServer server(processor, listener, dialect.transports(), dialect.protocols());
  server.setServerEventHandler(std::make_shared<Watch>(listener));
  server.serve();
}
