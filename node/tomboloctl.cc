// tomboloctl: the control API of a node on the command line. Exit status: 0 done, 1 the overlay
// could not do it or the node cannot be reached, 2 bad usage.
#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control.grpc.pb.h"
#include "node/tomboloctl_print.h"

namespace tombolo::node {
namespace {

namespace control = tombolo::control::v1;

struct Session {
  std::unique_ptr<control::Control::Stub> stub;
  Printer printer;
  int timeout_s = 30;

  void Limit(grpc::ClientContext& context) const {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(timeout_s));
  }
};

// Makes one call, prints its reply. `judge`: what of the reply means that it came to nothing.
template <class Request, class Reply>
int Call(Session& session,
         grpc::Status (control::Control::Stub::*method)(grpc::ClientContext*, const Request&,
                                                        Reply*),
         const Request& request, const std::function<control::Failure(const Reply&)>& judge = {}) {
  grpc::ClientContext context;
  session.Limit(context);
  Reply reply;
  const grpc::Status status = (session.stub.get()->*method)(&context, request, &reply);
  if (!status.ok()) return session.printer.Error(status);
  session.printer.Print(reply);
  const control::Failure failure = judge ? judge(reply) : control::NONE;
  return failure == control::NONE ? 0 : session.printer.Failed(failure);
}

int Watch(Session& session) {
  grpc::ClientContext context;
  const auto reader = session.stub->Subscribe(&context, {});
  for (control::Event event; reader->Read(&event);) session.printer.Print(event);
  const grpc::Status status = reader->Finish();
  return status.ok() ? 0 : session.printer.Error(status);
}

int Attach(Session& session, const control::AttachRequest& request) {
  grpc::ClientContext context;
  const auto reader = session.stub->Attach(&context, request);
  for (control::AttachReply reply; reader->Read(&reply);) session.printer.Print(reply);
  const grpc::Status status = reader->Finish();
  return status.ok() ? 0 : session.printer.Error(status);
}

// 40 hexadecimal digits are an id, anything else a name.
control::Key KeyOf(const std::string& text) {
  control::Key key;
  if (const std::string bytes = BytesOfHex(text); !bytes.empty()) {
    key.set_id(bytes);
  } else {
    key.set_name(text);
  }
  return key;
}

struct Words {
  std::string node = "127.0.0.1:7401";
  bool json = false;
  int timeout_s = 30;
  std::string id;
  std::string key;
  std::string text;
  bool acknowledge = false;
  std::uint64_t sequence = 0;
  std::uint32_t ttl_s = 0;
};

using Verb = std::function<int(Session&)>;
using Stub = control::Control::Stub;

// Each subcommand leaves what is to be done in `verb`.
void AddVerbs(CLI::App& app, Words& words, Verb& verb) {
  const auto add = [&app, &verb](const char* name, const char* help, Verb act) {
    CLI::App* sub = app.add_subcommand(name, help);
    sub->callback([&verb, act = std::move(act)] { verb = act; });
    return sub;
  };
  const CLI::Validator id(
      [](const std::string& text) {
        return BytesOfHex(text).empty() ? "an id has 40 hexadecimal digits" : "";
      },
      "ID");
  const auto with_id = [&](CLI::App* sub) {
    sub->add_option("ID", words.id)->required()->check(id);
  };
  const auto with_text = [&](CLI::App* sub) { sub->add_option("TEXT", words.text)->required(); };
  const auto with_key = [&](CLI::App* sub) {
    sub->add_option("KEY", words.key, "an id, or a name")->required();
  };

  add("status", "who the node is and how it fares",
      [](Session& s) { return Call(s, &Stub::Status, control::StatusRequest()); });
  add("peers", "the peers it has connections to",
      [](Session& s) { return Call(s, &Stub::Peers, control::PeersRequest()); });
  add("topology", "its routing table and ring",
      [](Session& s) { return Call(s, &Stub::Topology, control::TopologyRequest()); });
  with_id(add("connect", "ask for a direct link", [&words](Session& s) {
    control::ConnectRequest request;
    request.set_id(BytesOfHex(words.id));
    return Call<control::ConnectRequest, control::ConnectReply>(
        s, &Stub::Connect, request, [](const auto& reply) { return reply.failure(); });
  }));
  with_id(add("disconnect", "give the link back", [&words](Session& s) {
    control::DisconnectRequest request;
    request.set_id(BytesOfHex(words.id));
    return Call(s, &Stub::Disconnect, request);
  }));
  CLI::App* send = add("send", "relay a text to a node", [&words](Session& s) {
    control::SendRequest request;
    request.set_id(BytesOfHex(words.id));
    request.set_payload(words.text);
    return Call<control::SendRequest, control::SendReply>(
        s, &Stub::Send, request, [](const auto& reply) { return reply.failure(); });
  });
  with_id(send);
  send->add_option("TEXT", words.text);
  CLI::App* broadcast = add("broadcast", "tell every node a text", [&words](Session& s) {
    control::BroadcastRequest request;
    request.set_payload(words.text);
    request.set_acknowledge(words.acknowledge);
    return Call<control::BroadcastRequest, control::BroadcastReply>(
        s, &Stub::Broadcast, request, [](const auto& reply) { return reply.failure(); });
  });
  with_text(broadcast);
  broadcast->add_flag("--acknowledge", words.acknowledge, "count who has it");
  with_key(add("lookup", "the nodes closest to a key", [&words](Session& s) {
    control::LookupRequest request;
    *request.mutable_key() = KeyOf(words.key);
    return Call(s, &Stub::Lookup, request);
  }));
  CLI::App* put = add("put", "store a text under a key", [&words](Session& s) {
    control::PutRequest request;
    *request.mutable_key() = KeyOf(words.key);
    request.set_value(words.text);
    request.set_sequence(words.sequence);
    request.set_ttl_s(words.ttl_s);
    return Call<control::PutRequest, control::PutReply>(
        s, &Stub::Put, request,
        [](const auto& reply) { return reply.stored() > 0 ? control::NONE : control::REFUSED; });
  });
  with_key(put);
  with_text(put);
  put->add_option("--sequence", words.sequence, "the highest wins");
  put->add_option("--ttl", words.ttl_s, "seconds; an hour if not given");
  with_key(add("get", "read what is stored under a key", [&words](Session& s) {
    control::GetRequest request;
    *request.mutable_key() = KeyOf(words.key);
    return Call<control::GetRequest, control::GetReply>(
        s, &Stub::Get, request,
        [](const auto& reply) { return reply.found() ? control::NONE : control::UNREACHABLE; });
  }));
  with_key(add("attach", "make a client findable here, until interrupted", [&words](Session& s) {
    control::AttachRequest request;
    *request.mutable_client() = KeyOf(words.key);
    request.set_sequence(words.sequence);
    return Attach(s, request);
  }));
  add("watch", "messages and events as they come", Watch);
  add("drain", "leave the overlay and end the process",
      [](Session& s) { return Call(s, &Stub::Drain, control::DrainRequest()); });
  app.require_subcommand(1);
}

int Main(int argc, char** argv) {
  CLI::App app("Talks to a tombolo-node.", "tomboloctl");
  app.set_version_flag("--version", TOMBOLO_VERSION);
  Words words;
  Verb verb;
  app.add_option("--node", words.node, "its control address: HOST:PORT or unix:PATH")
      ->envname("TOMBOLO_NODE");
  app.add_flag("--json", words.json, "one JSON object per reply");
  app.add_option("--timeout", words.timeout_s, "seconds to wait for a reply");
  AddVerbs(app, words, verb);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  Session session{control::Control::NewStub(grpc::CreateCustomChannel(
                      words.node, grpc::InsecureChannelCredentials(), arguments)),
                  Printer(words.json), words.timeout_s};
  return verb(session);
}

}  // namespace
}  // namespace tombolo::node

int main(int argc, char** argv) { return tombolo::node::Main(argc, argv); }
