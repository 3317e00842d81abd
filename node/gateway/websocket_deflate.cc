#include "node/gateway/websocket_deflate.h"

#include <algorithm>
#include <array>
#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/beast/zlib/inflate_stream.hpp>

namespace tombolo::node {
namespace {

namespace zlib = boost::beast::zlib;

constexpr int kLevel = 3;  // most of the gain of 8 at a third of its time
constexpr int kWindowBits = 15;
constexpr int kMemory = 8;
constexpr std::array<char, 4> kTail = {0x00, 0x00, '\xff', '\xff'};  // not sent: RFC 7692, 7.2.1

}  // namespace

struct MessageDeflate::Streams {
  zlib::deflate_stream deflate;
  zlib::inflate_stream inflate;
  std::string inflated;
  std::string deflated;
};

MessageDeflate::MessageDeflate() : streams_(std::make_unique<Streams>()) {
  streams_->deflate.reset(kLevel, kWindowBits, kMemory, zlib::Strategy::normal);
}
MessageDeflate::~MessageDeflate() = default;

const std::string* MessageDeflate::Inflate(std::string_view compressed, std::size_t most) {
  std::string& out = streams_->inflated;
  streams_->inflate.reset(kWindowBits);
  std::string in(compressed);
  in.append(kTail.data(), kTail.size());
  zlib::z_params params;
  params.next_in = in.data();
  params.avail_in = in.size();
  std::size_t done = 0;
  while (true) {
    out.resize(std::min(most + 1, std::max<std::size_t>(done * 2, 4096)));
    params.next_out = out.data() + done;
    params.avail_out = out.size() - done;
    boost::system::error_code error;
    streams_->inflate.write(params, zlib::Flush::sync, error);
    done = out.size() - params.avail_out;
    if (done > most) return nullptr;
    // need_buffers: nothing more to take or to give.
    if (error && error != zlib::error::need_buffers) {
      if (error != zlib::error::end_of_stream) return nullptr;
      break;
    }
    if (params.avail_out > 0) break;
  }
  if (params.avail_in > kTail.size()) return nullptr;
  out.resize(done);
  return &out;
}

const std::string& MessageDeflate::Deflate(std::string_view message) {
  std::string& out = streams_->deflated;
  streams_->deflate.reset();
  out.resize(streams_->deflate.upper_bound(message.size()) + 16);
  zlib::z_params params;
  params.next_in = message.data();
  params.avail_in = message.size();
  params.next_out = out.data();
  params.avail_out = out.size();
  boost::system::error_code error;
  streams_->deflate.write(params, zlib::Flush::sync, error);
  std::size_t done = out.size() - params.avail_out;
  if (done >= kTail.size()) done -= kTail.size();
  out.resize(done);
  return out;
}

}  // namespace tombolo::node
