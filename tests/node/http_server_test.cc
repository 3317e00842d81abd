// The HTTP listener under clients that behave and clients that do not. They are raw sockets in the
// same thread, so that every byte is the test's.
#include "node/http_server.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "node/endpoint.h"

namespace tombolo::node {
namespace {

using boost::asio::ip::tcp;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

// Gathers what comes until the server closes.
class Client {
 public:
  Client(boost::asio::io_context& io, const std::string& address) : socket_(io) {
    socket_.connect(*EndpointOf(address));
    Read();
  }
  void Send(const std::string& bytes) {
    boost::system::error_code ignored;
    boost::asio::write(socket_, boost::asio::buffer(bytes), ignored);
  }
  void Shut() { socket_.shutdown(tcp::socket::shutdown_send); }

  std::string got;
  bool closed = false;

 private:
  void Read() {
    socket_.async_read_some(boost::asio::buffer(block_), [this](const auto& error, std::size_t n) {
      got.append(block_.data(), n);
      if (error) {
        closed = true;
      } else {
        Read();
      }
    });
  }

  tcp::socket socket_;
  std::array<char, 4096> block_{};
};

class HttpServerTest : public testing::Test {
 protected:
  void Start(const HttpLimits& limits = {}) {
    server = std::make_unique<HttpServer>(
        io.get_executor(),
        [this](const std::string& path) {
          paths.push_back(path);
          if (path == "/health") return HttpReply{200, "text/plain", "ok\n"};
          return HttpReply{404, "text/plain", "no\n"};
        },
        limits);
    ASSERT_TRUE(server->Start("127.0.0.1:0").ok());
  }
  template <class Holds>
  bool Until(Holds holds) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!holds()) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      io.restart();
      io.run_one_for(10ms);
    }
    return true;
  }
  std::unique_ptr<Client> Connect() { return std::make_unique<Client>(io, server->listening()); }
  // What a client gets that sends this and waits for the end.
  std::string Answer(const std::string& bytes) {
    const auto client = Connect();
    client->Send(bytes);
    EXPECT_TRUE(Until([&] { return client->closed; })) << bytes.substr(0, 100);
    return client->got;
  }
  static std::string Get(const std::string& path, const std::string& method = "GET") {
    return method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  }

  boost::asio::io_context io;
  std::vector<std::string> paths;
  std::unique_ptr<HttpServer> server;
};

TEST_F(HttpServerTest, AnswersPagesAndMissesOthers) {
  Start();
  const std::string good = Answer(Get("/health?x=1"));
  EXPECT_TRUE(good.starts_with("HTTP/1.1 200 OK\r\n")) << good;
  EXPECT_TRUE(good.ends_with("\r\n\r\nok\n")) << good;
  EXPECT_TRUE(Answer(Get("/../etc/passwd")).starts_with("HTTP/1.1 404 "));
  EXPECT_EQ(paths, (std::vector<std::string>{"/health", "/../etc/passwd"}));
  EXPECT_EQ(server->counts().replies, 1U);
  EXPECT_EQ(server->counts().errors, 1U);
}

TEST_F(HttpServerTest, HeadHasTheLengthAndNoBody) {
  Start();
  const std::string head = Answer(Get("/health", "HEAD"));
  EXPECT_NE(head.find("Content-Length: 3\r\n"), std::string::npos) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
}

TEST_F(HttpServerTest, OtherMethodsAreNamedAndRefused) {
  Start();
  for (const char* method : {"PUT", "DELETE", "OPTIONS", "BREW", "CONNECT"}) {
    const std::string reply = Answer(Get("/health", method));
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 405 ")) << method << reply;
    EXPECT_NE(reply.find("Allow: GET, HEAD\r\n"), std::string::npos);
  }
  EXPECT_TRUE(paths.empty());
}

TEST_F(HttpServerTest, OneConnectionServesRequestsInOrderUpToTheLimit) {
  HttpLimits limits;
  limits.max_requests = 3;
  Start(limits);
  const std::string request = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string replies = Answer(request + request + request + request);
  std::size_t count = 0;
  for (std::size_t at = 0; (at = replies.find("\r\n\r\nok\n", at)) != std::string::npos; ++at)
    ++count;
  EXPECT_EQ(count, 3U);
}

TEST_F(HttpServerTest, HostileRequestsEndInARefusalAndTheServerGoesOn) {
  Start();
  const std::string post = "POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
  EXPECT_TRUE(Answer(post).starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(Answer("GET /health HTTP/1.1\r\nA: " + std::string(9000, 'a') + "\r\n\r\n")
                  .starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(
      Answer("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(Answer("\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(Answer("GET /health HTTP/9.9\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(
      Answer("GET health HTTP/1.1\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(Answer("GET /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                     "5\r\nhello\r\n0\r\n\r\n")
                  .starts_with("HTTP/1.1 4"));
  EXPECT_TRUE(paths.empty());
  EXPECT_TRUE(Answer(Get("/health")).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Until([&] { return server->connections() == 0; }));
}

TEST_F(HttpServerTest, WhoTricklesARequestIsClosedAfterTheDeadline) {
  HttpLimits limits;
  limits.head_timeout = 50ms;
  Start(limits);
  const auto slow = Connect();
  slow->Send("GET /hea");
  const auto silent = Connect();
  EXPECT_TRUE(Until([&] { return slow->closed && silent->closed; }));
  EXPECT_EQ(server->counts().timeouts, 2U);
  EXPECT_TRUE(Until([&] { return server->connections() == 0; }));
}

TEST_F(HttpServerTest, ConnectionsBeyondALimitAreClosedAtOnce) {
  HttpLimits limits;
  limits.accept.per_address = 2;
  Start(limits);
  const auto first = Connect();
  const auto second = Connect();
  const auto third = Connect();
  EXPECT_TRUE(Until([&] { return third->closed; }));
  EXPECT_FALSE(first->closed || second->closed);
  EXPECT_EQ(server->counts().refused, 1U);
  first->Shut();
  EXPECT_TRUE(Until([&] { return server->connections() == 1; }));
  EXPECT_TRUE(Answer(Get("/health")).starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, ConnectionsInTotalHaveALimitToo) {
  HttpLimits limits;
  limits.accept.total = 1;
  Start(limits);
  const auto first = Connect();
  const auto second = Connect();
  EXPECT_TRUE(Until([&] { return second->closed; }));
  EXPECT_FALSE(first->closed);
  EXPECT_EQ(server->counts().refused, 1U);
}

TEST_F(HttpServerTest, StopClosesEverythingAndThePortIsFree) {
  Start();
  const auto idle = Connect();
  EXPECT_TRUE(Until([&] { return server->connections() == 1; }));
  const std::string address = server->listening();
  server->Stop();
  EXPECT_TRUE(Until([&] { return idle->closed && server->connections() == 0; }));
  HttpServer next(io.get_executor(), [](const std::string&) { return HttpReply(); });
  EXPECT_TRUE(next.Start(address).ok());
}

TEST_F(HttpServerTest, APortInUseIsSaid) {
  Start();
  HttpServer second(io.get_executor(), [](const std::string&) { return HttpReply(); });
  const absl::Status refused = second.Start(server->listening());
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(std::string(refused.message()).find("http.listen"), std::string::npos);
}

}  // namespace
}  // namespace tombolo::node
