// What tomboloctl writes: tables for people, or one JSON object per reply (field names of
// proto/control.proto; ids as 40 hexadecimal digits, payloads as text, or in hexadecimal if they
// are none), to the terminal or to whoever wants them. Thread rule: one caller.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <string>
#include <utility>

#include "control.pb.h"

namespace tombolo::node {

std::string HexOf(const std::string& bytes);
// Text as it is; other bytes in hexadecimal.
std::string ShownPayload(const std::string& bytes);
// A message as one line of JSON.
std::string JsonText(const google::protobuf::Message& message);

// 20 bytes, or empty if the text is not 40 hexadecimal digits.
std::string BytesOfHex(const std::string& text);

class Printer {
 public:
  using Sink = std::function<void(const std::string& text)>;

  explicit Printer(bool json) : json_(json) {}
  // Replies, as JSON without the end of the line, and complaints go to the sinks.
  Printer(Sink replies, Sink complaints)
      : json_(true), replies_(std::move(replies)), complaints_(std::move(complaints)) {}

  void Print(const google::protobuf::Message& reply) const;
  // Both return the exit status 1.
  int Error(const grpc::Status& status) const;
  int Failed(control::v1::Failure failure) const;
  // Returns 2.
  int BadUsage(const std::string& what) const;

 private:
  void Complain(const std::string& text) const;

  bool json_;
  Sink replies_;
  Sink complaints_;
};

}  // namespace tombolo::node
