// What tomboloctl writes: tables for people, or one JSON object per reply (field names of
// proto/control.proto; ids as 40 hexadecimal digits), to the terminal or to whoever wants them.
// Payloads are bytes: for people text as it is if it can be printed, else hex:00ff; in JSON text,
// or, if they are no UTF-8, in hexadecimal under a name of their own (payload_hex, value_hex).
// Thread rule: one caller.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <string>
#include <utility>

#include "control.pb.h"

namespace tombolo::node {

std::string HexOf(const std::string& bytes);
// For people. What begins with "hex:" is hexadecimal, always.
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
  // These return the exit status 1.
  int Error(const grpc::Status& status) const;
  int Failed(control::v1::Failure failure) const;
  int NotFound(const std::string& key) const;
  // Returns 2.
  int BadUsage(const std::string& what) const;

 private:
  void Complain(const std::string& text) const;

  bool json_;
  Sink replies_;
  Sink complaints_;
};

}  // namespace tombolo::node
