#include "node/tomboloctl_print.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "node/gateway/websocket_frame.h"

namespace tombolo::node {
namespace {

namespace control = tombolo::control::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using nlohmann::ordered_json;

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kHexMark = "hex:";

enum class Reader : std::uint8_t { kPerson, kProgram };

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 15];
  }
  return text;
}

// Ids are the only bytes fields that are no payload.
bool IsPayload(const FieldDescriptor& field) {
  return field.name() == "payload" || field.name() == "value";
}

std::string Shown(const FieldDescriptor& field, const std::string& bytes) {
  return field.type() == FieldDescriptor::TYPE_BYTES ? Hex(bytes) : bytes;
}

// C0, DEL and C1, with which a payload could write all over the terminal.
bool HasControls(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    const bool c1 = byte == 0xc2 && i + 1 < text.size();
    if (c1 && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;
  }
  return false;
}

void AddPayload(const std::string& name, const std::string& bytes, Reader reader,
                ordered_json& object) {
  if (reader == Reader::kPerson) {
    object[name] = ShownPayload(bytes);
  } else if (IsUtf8(bytes)) {
    object[name] = bytes;
  } else {
    object[name + "_hex"] = Hex(bytes);
  }
}

// A round trip of 0 is one that nobody has measured: no number for people.
ordered_json NumberOf(const FieldDescriptor& field, std::uint64_t value, Reader reader) {
  if (reader == Reader::kPerson && value == 0 && field.name() == "rtt_us") return "-";
  return value;
}

ordered_json JsonOf(const Message& message, Reader reader);

ordered_json ValueOf(const Message& message, const FieldDescriptor& field, int index,
                     Reader reader) {
  const Reflection& see = *message.GetReflection();
  const bool many = index >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return JsonOf(
          many ? see.GetRepeatedMessage(message, &field, index) : see.GetMessage(message, &field),
          reader);
    case FieldDescriptor::CPPTYPE_STRING:
      return Shown(field, many ? see.GetRepeatedString(message, &field, index)
                               : see.GetString(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return NumberOf(
          field,
          many ? see.GetRepeatedUInt64(message, &field, index) : see.GetUInt64(message, &field),
          reader);
    case FieldDescriptor::CPPTYPE_UINT32:
      return many ? see.GetRepeatedUInt32(message, &field, index) : see.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return see.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return see.GetEnum(message, &field)->name();
    default:
      return nullptr;  // proto/control.proto has no other types
  }
}

ordered_json MapOf(const Message& message, const FieldDescriptor& field) {
  const Reflection& see = *message.GetReflection();
  std::map<std::string, std::uint64_t> sorted;
  for (int i = 0; i < see.FieldSize(message, &field); ++i) {
    const Message& entry = see.GetRepeatedMessage(message, &field, i);
    const auto& type = *entry.GetDescriptor();
    sorted[entry.GetReflection()->GetString(entry, type.FindFieldByNumber(1))] =
        entry.GetReflection()->GetUInt64(entry, type.FindFieldByNumber(2));
  }
  return sorted;
}

// Every field, also those with their default value; of a oneof only the one that is set.
ordered_json JsonOf(const Message& message, Reader reader) {
  const Reflection& see = *message.GetReflection();
  const auto& type = *message.GetDescriptor();
  ordered_json object = ordered_json::object();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.containing_oneof() != nullptr && !see.HasField(message, &field)) continue;
    if (field.is_map()) {
      object[field.name()] = MapOf(message, field);
    } else if (field.is_repeated()) {
      ordered_json list = ordered_json::array();
      for (int at = 0; at < see.FieldSize(message, &field); ++at) {
        list.push_back(ValueOf(message, field, at, reader));
      }
      object[field.name()] = std::move(list);
    } else if (IsPayload(field)) {
      AddPayload(field.name(), see.GetString(message, &field), reader, object);
    } else {
      object[field.name()] = ValueOf(message, field, -1, reader);
    }
  }
  return object;
}

std::string CellOf(const ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// Rows of objects with the same names, in columns.
void PrintTable(const ordered_json& rows) {
  std::vector<std::vector<std::string>> cells(1);
  for (const auto& [name, value] : rows.front().items()) cells[0].push_back(name);
  for (const ordered_json& row : rows) {
    cells.emplace_back();
    for (const auto& [name, value] : row.items()) {
      cells.back().push_back(value.is_array() ? std::to_string(value.size()) : CellOf(value));
    }
  }
  std::vector<std::size_t> widths(cells[0].size());
  for (const auto& row : cells) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : cells) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::puts(line.c_str());
  }
}

void PrintForPeople(const ordered_json& object, const std::string& indent) {
  for (const auto& [name, value] : object.items()) {
    if (value.is_array() && !value.empty() && value.front().is_object()) {
      PrintTable(value);
    } else if (value.is_object()) {
      std::printf("%s%s\n", indent.c_str(), name.c_str());
      PrintForPeople(value, indent + "  ");
    } else if (value.is_array()) {
      std::printf("%s%s\n", indent.c_str(), name.c_str());
      for (const ordered_json& item : value) {
        std::printf("%s  %s\n", indent.c_str(), CellOf(item).c_str());
      }
    } else {
      std::printf("%s%-14s %s\n", indent.c_str(), name.c_str(), CellOf(value).c_str());
    }
  }
}

}  // namespace

std::string HexOf(const std::string& bytes) { return Hex(bytes); }

std::string ShownPayload(const std::string& bytes) {
  const bool text = IsUtf8(bytes) && !HasControls(bytes) && !bytes.starts_with(kHexMark);
  return text ? bytes : std::string(kHexMark) + Hex(bytes);
}

std::string JsonText(const Message& message) {
  return JsonOf(message, Reader::kProgram)
      .dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string BytesOfHex(const std::string& text) {
  std::string bytes;
  if (text.size() != 40) return bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int byte = 0;
    for (const char c : {text[i], text[i + 1]}) {
      const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
      const std::size_t digit = kHexDigits.find(lower);
      if (digit == std::string_view::npos) return "";
      byte = byte * 16 + static_cast<int>(digit);
    }
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

void Printer::Print(const Message& reply) const {
  if (!json_) {
    PrintForPeople(JsonOf(reply, Reader::kPerson), "");
  } else {
    const std::string text = JsonText(reply);
    if (replies_) return replies_(text);
    std::puts(text.c_str());
  }
  std::fflush(stdout);
}

void Printer::Complain(const std::string& text) const {
  if (complaints_) return complaints_(text);
  std::fprintf(stderr, "tomboloctl: %s\n", text.c_str());
}

int Printer::Error(const grpc::Status& status) const {
  // What gRPC says names the address, but not what to do.
  const std::string& said = status.error_message();
  std::string advice;
  if (said.starts_with("failed to connect")) {
    const bool hung_up = said.find("Socket closed") != std::string::npos;
    advice = hung_up ? "it hangs up on plaintext; give --ca if it uses TLS: "
                     : "no node answers; does it run, and is this what --node should name? ";
  }
  Complain(advice + said);
  return 1;
}

int Printer::Failed(control::Failure failure) const {
  Complain("the overlay could not do it: " + control::Failure_Name(failure));
  return 1;
}

int Printer::NotFound(const std::string& key) const {
  Complain("nothing is stored under '" + key + "'");
  return 1;
}

int Printer::BadUsage(const std::string& what) const {
  Complain(what);
  return 2;
}

}  // namespace tombolo::node
