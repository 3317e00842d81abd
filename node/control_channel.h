// The Channel call of the control API: one call is one end of a channel. Included by control_*.cc
// only.
//
// Flow control joins that of gRPC to that of the channel: the next message of the caller is read
// when the channel has taken the last one, and data is given back to the channel as credit when it
// has been written to the caller. So a caller that does not read holds the other node back, and the
// node holds one message of the caller, and of the channel what its window allows.
//
// Services: calls that accept wait in the order in which they came; each takes one channel.
//
// Thread rule: gRPC's reactions are posted to the strand, where everything happens; at most one
// read and one write are out. Ownership: a call keeps itself alive until gRPC is done with it.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "control.grpc.pb.h"
#include "node/channel_table.h"

namespace tombolo::node {

namespace control = tombolo::control::v1;

class ControlChannel;

// The calls of one server. Thread rule: the strand, but for Begin.
class ControlChannels {
 public:
  static constexpr std::size_t kMaxCalls = 4096;

  // `table` gives the channels of the host, which may begin later than this.
  ControlChannels(boost::asio::any_io_executor strand, std::function<ChannelTable&()> table);

  // Any thread.
  grpc::ServerBidiReactor<control::ChannelInput, control::ChannelOutput>* Begin();
  // Ends all calls, and those that come later.
  void Stop();

 private:
  friend class ControlChannel;
  using Call = std::shared_ptr<ControlChannel>;

  void Add(const Call& call);
  void Remove(const Call& call);
  // Waits for the next channel of the service.
  absl::Status Await(const std::string& service, const Call& call);
  void Unawait(const Call& call);

  const boost::asio::any_io_executor strand_;
  const std::function<ChannelTable&()> table_;
  bool stopping_ = false;
  std::map<ControlChannel*, Call> calls_;
  std::map<std::string, std::deque<Call>> waiting_;  // by service
};

}  // namespace tombolo::node
