// Ids, failures and events of the core as the control API writes them, and the node's own state as
// its replies show it. Thread rule: the strand.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "control.pb.h"
#include "node/application.h"
#include "node/grpc_transport.h"
#include "overlay/event.h"
#include "overlay/node_id.h"

namespace tombolo::node {

namespace control = tombolo::control::v1;

// 20 bytes.
std::string BytesOf(const NodeId& id);
std::optional<NodeId> IdOf(const std::string& bytes);
// nullopt: neither an id of 20 bytes nor a name.
std::optional<NodeId> IdOf(const control::Key& key);

// Of an event that ends a Connect, Send or Broadcast.
control::Failure FailureOf(const Event& event);

// nullopt: no event for subscribers.
std::optional<control::Event> ConvertEvent(const Host& host, const Event& event,
                                           const std::string& payload);

void FillStatus(const Host& host, const GrpcTransport& transport, control::StatusReply& reply);
void FillPeers(const Host& host, Time now, control::PeersReply& reply);
void FillTopology(const Host& host, control::TopologyReply& reply);

}  // namespace tombolo::node
