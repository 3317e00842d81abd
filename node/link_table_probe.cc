// Dials that others ask for, to learn whether they can be dialled. A probe is a connection that
// ends as soon as it has proven the id; it never becomes a link.
//
// So that nobody is made to dial strangers: only the host that the request comes from is dialled,
// max_dial_backs at once and one per dial_back_interval and link. What is refused is counted, and
// says nothing about the asker.
#include <optional>

#include "node/address.h"
#include "node/host_port.h"
#include "node/link_table.h"

namespace tombolo::node {

using link::v1::DialBackResult;

void LinkTable::AskDialBack(PeerRef peer, const std::string& address) {
  const auto found = links_.find(peer);
  if (found == links_.end() || !found->second.ready) return;
  Connection& connection = *Find(*found->second.ready);
  connection.asked_dial_back = true;
  Batch(connection).mutable_dial_back()->set_address(address);
}

void LinkTable::OnDialBackResult(Connection& connection, const DialBackResult& result) {
  if (!std::exchange(connection.asked_dial_back, false)) return;
  events_.DialBackDone(connection.peer, result.outcome());
}

bool LinkTable::MayDialBack(const Connection& connection, const std::string& address,
                            Time now) const {
  if (closing_ || over_budget_ || now < connection.dial_back_after) return false;
  if (probes_.size() >= options_.max_dial_backs || !IsAddress(address)) return false;
  const std::optional<HostPort> asked = ParseHostPort(address);
  const std::optional<HostPort> from = ParseHostPort(connection.address);
  return asked && from && asked->host == from->host && asked->port != 0;
}

void LinkTable::OnDialBack(Connection& connection, const link::v1::DialBack& request, Time now) {
  if (!MayDialBack(connection, request.address(), now)) {
    Count(LinkCount::kDialBacksRefused);
    Batch(connection).mutable_dial_back_result()->set_outcome(DialBackResult::REFUSED);
    return;
  }
  Count(LinkCount::kDialBacks);
  connection.dial_back_after = now + options_.dial_back_interval;
  const ConnectionId probe = transport_->Dial(request.address(), connection.remote);
  probes_[probe] = {connection.id, now + options_.dial_deadline};
  NoteDeadline(now + options_.dial_deadline);
}

bool LinkTable::EndProbe(ConnectionId probe, bool reached) {
  const auto ended = probes_.extract(probe);
  if (ended.empty()) return false;
  Connection* asker = Find(ended.mapped().asker);
  if (asker != nullptr && asker->state == ConnectionState::kReady) {
    Batch(*asker).mutable_dial_back_result()->set_outcome(reached ? DialBackResult::REACHED
                                                                  : DialBackResult::FAILED);
  }
  return true;
}

void LinkTable::ExpireProbes(Time now) {
  std::vector<ConnectionId> late;
  for (const auto& [id, probe] : probes_) {
    if (probe.deadline <= now) late.push_back(id);
    NoteDeadline(probe.deadline);
  }
  for (const ConnectionId id : late) {
    EndProbe(id, false);
    transport_->Close(id);
  }
}

}  // namespace tombolo::node
