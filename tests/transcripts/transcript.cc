#include "tests/transcripts/transcript.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace tombolo::sim {
namespace {

Words Split(const std::string& line) {
  std::istringstream in(line);
  Words words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

}  // namespace

// Comments and commands are kept; what stands between them is the answer and made anew.
std::string PlayTranscript(const std::string& text) {
  Stage stage;
  std::istringstream in(text);
  std::string played;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#")) played += line + "\n";
    if (!line.starts_with("> ")) continue;
    played += line + "\n" + stage.Do(line.substr(2));
  }
  return played;
}

const std::map<std::string, Stage::Verb>& Stage::Verbs() {
  static const std::map<std::string, Verb> verbs = {{"world", &Stage::MakeWorld},
                                                    {"names", &Stage::NamePeers},
                                                    {"peer", &Stage::AddPeer},
                                                    {"join", &Stage::Join},
                                                    {"crash", &Stage::Crash},
                                                    {"leave", &Stage::Leave},
                                                    {"restart", &Stage::Restart},
                                                    {"pause", &Stage::Pause},
                                                    {"islands", &Stage::Islands},
                                                    {"cut", &Stage::Cut},
                                                    {"bridge", &Stage::Bridge},
                                                    {"introduce", &Stage::Introduce},
                                                    {"heal", &Stage::Heal},
                                                    {"run", &Stage::Run},
                                                    {"until", &Stage::Until},
                                                    {"ring", &Stage::ShowRing},
                                                    {"successors", &Stage::ShowSuccessors},
                                                    {"table", &Stage::ShowTable},
                                                    {"links", &Stage::ShowLinks},
                                                    {"lookup", &Stage::Lookup},
                                                    {"send", &Stage::Send},
                                                    {"put", &Stage::Put},
                                                    {"get", &Stage::Get},
                                                    {"broadcast", &Stage::Broadcast},
                                                    {"heard", &Stage::Heard},
                                                    {"traffic", &Stage::Traffic},
                                                    {"attach", &Stage::Attach},
                                                    {"resolve", &Stage::Resolve},
                                                    {"enter", &Stage::Enter},
                                                    {"exit", &Stage::Exit}};
  return verbs;
}

std::string Stage::Do(const std::string& command) {
  const Words words = Split(command);
  if (words.empty()) return "error: no command\n";
  const auto verb = Verbs().find(words.front());
  if (verb == Verbs().end()) return "error: unknown command\n";
  if (world_ == nullptr && words.front() != "world") return "error: no world\n";
  return (this->*verb->second)(words);
}

PeerRef Stage::Find(const std::string& name) const {
  const auto found = peers_.find(name);
  return found == peers_.end() ? PeerRef::kNone : found->second;
}

std::string Stage::NameOf(PeerRef peer) const {
  const auto named =
      std::find_if(peers_.begin(), peers_.end(), [&](const auto& p) { return p.second == peer; });
  return named == peers_.end() ? "?" : named->first;
}

std::optional<NodeId> ParseId(std::string_view hex) {
  NodeId id;
  if (hex.empty() || hex.size() > 8 * id.words.size()) return std::nullopt;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    std::uint32_t digit = 0;
    const auto [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 1, digit, 16);
    if (error != std::errc() || end != hex.data() + i + 1) return std::nullopt;
    id.words[i / 8] |= digit << (28 - 4 * (i % 8));
  }
  return id;
}

NodeId IdOfName(std::string_view name) {
  NodeId id;
  std::uint64_t state = 0;
  for (const char letter : name) state = Mix64(state ^ static_cast<unsigned char>(letter)) + 1;
  for (std::uint32_t& word : id.words)
    word = static_cast<std::uint32_t>((state = Mix64(state + 1)));
  return id;
}

std::optional<Duration> ParseSpan(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit == "ms") return Duration::Milliseconds(number);
  if (unit == "s") return Duration::Seconds(number);
  if (unit == "min") return Duration::Minutes(number);
  return std::nullopt;
}

std::string SpanText(Duration span) {
  const std::int64_t ms = span.us / 1000;
  if (ms < 1000) return std::to_string(ms) + " ms";
  const std::string fraction = std::to_string(ms % 1000 / 100);
  return std::to_string(ms / 1000) + "." + fraction + " s";
}

}  // namespace tombolo::sim
