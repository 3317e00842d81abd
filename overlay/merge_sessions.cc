#include "overlay/merge_sessions.h"

#include <algorithm>

namespace tombolo {

bool MergeSession::IsForeign(PeerRef peer) const {
  return std::find(foreign.begin(), foreign.end(), peer) != foreign.end();
}

MergeSession& MergeSessions::Ensure(std::uint64_t id, Time expires) {
  const auto known = std::find_if(sessions_.begin(), sessions_.end(),
                                  [&](const MergeSession& session) { return session.id == id; });
  if (known != sessions_.end()) {
    known->expires = expires;
    return *known;
  }
  if (sessions_.size() >= kMaxSessions) {
    sessions_.erase(std::min_element(
        sessions_.begin(), sessions_.end(),
        [](const MergeSession& a, const MergeSession& b) { return a.expires < b.expires; }));
  }
  return sessions_.emplace_back(MergeSession{id, expires, {}, unclaimed_});
}

const MergeSession* MergeSessions::Find(std::uint64_t id) const {
  const auto known = std::find_if(sessions_.begin(), sessions_.end(),
                                  [&](const MergeSession& session) { return session.id == id; });
  return known == sessions_.end() ? nullptr : &*known;
}

void MergeSessions::AddForeign(MergeSession& session, PeerRef peer) {
  if (session.foreign.size() >= kMaxForeign) session.foreign.erase(session.foreign.begin());
  session.foreign.push_back(peer);
}

void MergeSessions::AddForeign(PeerRef peer, Time expires) {
  for (MergeSession& session : sessions_) AddForeign(session, peer);
  if (unclaimed_.size() >= kMaxForeign) unclaimed_.erase(unclaimed_.begin());
  unclaimed_.push_back(peer);
  unclaimed_expires_ = expires;
}

bool MergeSessions::IsForeign(PeerRef peer) const {
  const auto in = [&](const MergeSession& session) { return session.IsForeign(peer); };
  return std::any_of(sessions_.begin(), sessions_.end(), in) ||
         std::find(unclaimed_.begin(), unclaimed_.end(), peer) != unclaimed_.end();
}

void MergeSessions::Reopen(PeerRef peer) {
  for (MergeSession& session : sessions_) {
    if (session.IsForeign(peer)) session.met = {};
  }
}

void MergeSessions::Expire(Time now) {
  std::erase_if(sessions_, [&](const MergeSession& session) { return session.expires <= now; });
  if (unclaimed_expires_ > now) return;
  unclaimed_.clear();
  unclaimed_expires_ = kNever;
}

Time MergeSessions::next_deadline() const {
  Time next = unclaimed_expires_;
  for (const MergeSession& session : sessions_) next = std::min(next, session.expires);
  return next;
}

}  // namespace tombolo
