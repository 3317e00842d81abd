// What tomboloctl writes: tables for people, or one JSON object per reply (field names of
// proto/control.proto; ids as 40 hexadecimal digits, payloads as text, or in hexadecimal if they
// are none). Thread rule: one caller.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>

#include <string>

#include "control.pb.h"

namespace tombolo::node {

// 20 bytes, or empty if the text is not 40 hexadecimal digits.
std::string BytesOfHex(const std::string& text);

class Printer {
 public:
  explicit Printer(bool json) : json_(json) {}

  void Print(const google::protobuf::Message& reply) const;
  // Both return the exit status 1.
  int Error(const grpc::Status& status) const;
  int Failed(control::v1::Failure failure) const;

 private:
  bool json_;
};

}  // namespace tombolo::node
