// tomboloctl: the control API of a node on the command line. Exit status: kFooter says it.
#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control.grpc.pb.h"
#include "node/openssl_at_exit.h"
#include "node/tomboloctl_checks.h"
#include "node/tomboloctl_credentials.h"
#include "node/tomboloctl_pipe.h"
#include "node/tomboloctl_print.h"
#include "node/tomboloctl_script.h"
#include "node/tomboloctl_shell.h"
#include "node/tomboloctl_watch.h"

namespace tombolo::node {
namespace {

namespace control = tombolo::control::v1;

constexpr const char* kFooter =
    "`tomboloctl COMMAND --help` explains a command. IDs have 40 hexadecimal digits; a key is an "
    "id,\n"
    "or a name.\n"
    "\n"
    "Environment: TOMBOLO_NODE, TOMBOLO_CA and TOMBOLO_TOKEN_FILE stand for --node, --ca and\n"
    "--token-file; the options win.\n"
    "\n"
    "Exit status: 0 done; 1 the overlay could not do it, or the node cannot be reached; 2 bad "
    "usage.\n"
    "\n"
    "Examples:\n"
    "  tomboloctl status\n"
    "  tomboloctl --node unix:/run/node send 45d72dc401df6a50369ed6228197104b114c1df6 hello\n"
    "  tomboloctl --node 10.0.0.5:7401 --ca ca.pem --token-file token --json peers\n"
    "  tomboloctl put colour blue --ttl 600 && tomboloctl get colour\n"
    "  tomboloctl pipe --listen backup > backup.tar";

struct Session {
  std::shared_ptr<control::Control::Stub> stub;  // any number of threads may use it
  Printer printer;
  int timeout_s = 30;
  bool live = false;  // a view that is drawn again, where there is a terminal

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

int Watch(Session& session, const std::vector<std::uint64_t>& topics) {
  control::SubscribeRequest wanted;
  wanted.mutable_topics()->Add(topics.begin(), topics.end());
  const bool live = session.live && isatty(STDOUT_FILENO) == 1;
  return live ? WatchLive(*session.stub, wanted, session.printer)
              : WatchLines(*session.stub, wanted, session.printer);
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
  std::string ca;
  std::string token_file;
  bool json = false;
  bool lines = false;
  int timeout_s = 30;
  std::string id;
  std::string key;
  std::string text;
  bool acknowledge = false;
  std::uint64_t topic = 0;
  std::vector<std::uint64_t> topics;
  std::uint32_t copies = 1;
  bool no_receipt = false;
  std::uint32_t max_hops = 0;
  std::uint64_t sequence = 0;
  std::uint32_t ttl_s = 0;
  std::uint32_t deadline_ms = 0;
  std::string service;
  std::string listen;
};

using Verb = std::function<int(Session&)>;
using Stub = control::Control::Stub;

// Adds subcommands; the one that is given leaves what is to be done in `verb`.
class Verbs {
 public:
  Verbs(CLI::App& app, Words& words, Verb& verb) : app_(app), words_(words), verb_(verb) {
    AddLooks();
    AddLinks();
    AddMessages();
    AddRecords();
    app_.require_subcommand(1);
  }

 private:
  CLI::App* Add(const char* name, const char* help, Verb act) {
    CLI::App* sub = app_.add_subcommand(name, help);
    sub->callback([&verb = verb_, act = std::move(act)] { verb = act; });
    return sub;
  }
  // Adds an empty request, whose reply says all.
  template <class Request, class Reply>
  void AddLook(const char* name, const char* help,
               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*)) {
    Add(name, help, [method](Session& session) { return Call(session, method, Request()); });
  }
  void WithId(CLI::App* sub) {
    sub->add_option("ID", words_.id, "of a node: 40 hexadecimal digits")->required()->check(IsId());
  }
  void WithKey(CLI::App* sub) {
    sub->add_option("KEY", words_.key, "an id, or a name")->required();
  }

  void AddLooks() {
    AddLook("status", "who the node is and how it fares", &Stub::Status);
    AddLook("peers", "the peers it has connections to", &Stub::Peers);
    AddLook("topology", "its routing table and ring", &Stub::Topology);
    AddLook("reload", "read the configuration again", &Stub::Reload);
    AddLook("drain", "leave the overlay and end the process", &Stub::Drain);
    CLI::App* watch =
        Add("watch", "live view on a terminal; else messages and events, line by line",
            [&words = words_](Session& session) { return Watch(session, words.topics); });
    watch->add_flag("--lines", words_.lines, "lines on a terminal, too");
    watch->add_option("--topic", words_.topics, "broadcasts of this topic, too; repeatable")
        ->allow_extra_args(false)
        ->check(IsNatural());
    WithKey(Add("lookup", "the nodes closest to a key", [&words = words_](Session& session) {
      control::LookupRequest request;
      *request.mutable_key() = KeyOf(words.key);
      return Call(session, &Stub::Lookup, request);
    }));
  }

  void AddLinks() {
    WithId(Add("connect", "ask for a direct link", [&words = words_](Session& session) {
      control::ConnectRequest request;
      request.set_id(BytesOfHex(words.id));
      return Call<control::ConnectRequest, control::ConnectReply>(
          session, &Stub::Connect, request, [](const auto& reply) { return reply.failure(); });
    }));
    WithId(Add("disconnect", "give the link back", [&words = words_](Session& session) {
      control::DisconnectRequest request;
      request.set_id(BytesOfHex(words.id));
      return Call(session, &Stub::Disconnect, request);
    }));
  }

  void AddMessages() {
    CLI::App* send = Add("send", "relay a text to a node", [&words = words_](Session& session) {
      control::SendRequest request;
      request.set_id(BytesOfHex(words.id));
      request.set_payload(words.text);
      request.set_deadline_ms(words.deadline_ms);
      request.set_copies(words.copies);
      request.set_no_receipt(words.no_receipt);
      return Call<control::SendRequest, control::SendReply>(
          session, &Stub::Send, request, [](const auto& reply) { return reply.failure(); });
    });
    WithId(send);
    send->add_option("TEXT", words_.text, "at most 64 KiB; default nothing")->check(IsText());
    send->add_option("--deadline", words_.deadline_ms, "milliseconds; default 15000")
        ->check(IsNatural());
    send->add_option("--copies", words_.copies,
                     "over as many ways that share no node; 1 to 8; default 1")
        ->check(CLI::Range(1U, 8U));
    send->add_flag("--no-receipt", words_.no_receipt, "done at once, whatever becomes of it");
    CLI::App* all = Add("broadcast", "tell every node a text", [&words = words_](Session& session) {
      control::BroadcastRequest request;
      request.set_payload(words.text);
      request.set_topic(words.topic);
      request.set_acknowledge(words.acknowledge);
      request.set_deadline_ms(words.deadline_ms);
      request.set_ttl_ms(words.ttl_s * 1000);
      request.set_max_hops(words.max_hops);
      return Call<control::BroadcastRequest, control::BroadcastReply>(
          session, &Stub::Broadcast, request, [](const auto& reply) { return reply.failure(); });
    });
    all->add_option("TEXT", words_.text, "at most 64 KiB")->required()->check(IsText());
    all->add_flag("--acknowledge", words_.acknowledge, "count who has it");
    all->add_option("--topic", words_.topic,
                    "only those who subscribed to it; default 0: everybody")
        ->check(IsNatural());
    all->add_option("--deadline", words_.deadline_ms, "of --acknowledge, in ms; default 15000")
        ->check(IsNatural());
    all->add_option("--ttl", words_.ttl_s,
                    "seconds for which nodes pass it on; 1 to 86400; default as long as they may")
        ->check(CLI::Range(1U, 86'400U));
    all->add_option("--max-hops", words_.max_hops,
                    "how many times it is passed on; 1 to 255; default 64")
        ->check(CLI::Range(1U, 255U));
  }

  void AddRecords() {
    CLI::App* put = Add("put", "store a text under a key", [&words = words_](Session& session) {
      control::PutRequest request;
      *request.mutable_key() = KeyOf(words.key);
      request.set_value(words.text);
      request.set_sequence(words.sequence);
      request.set_ttl_s(words.ttl_s);
      return Call<control::PutRequest, control::PutReply>(
          session, &Stub::Put, request,
          [](const auto& reply) { return reply.stored() > 0 ? control::NONE : control::REFUSED; });
    });
    WithKey(put);
    put->add_option("TEXT", words_.text, "at most 64 KiB")->required()->check(IsText());
    put->add_option("--sequence", words_.sequence,
                    "the highest wins; default microseconds since 1970")
        ->check(IsNatural());
    put->add_option("--ttl", words_.ttl_s, "seconds; 1 to 86400; default 3600")
        ->check(CLI::Range(1U, 86'400U));
    WithKey(Add("get", "read what is stored under a key", [&words = words_](Session& session) {
      control::GetRequest request;
      *request.mutable_key() = KeyOf(words.key);
      bool missing = false;
      const int status = Call<control::GetRequest, control::GetReply>(
          session, &Stub::Get, request, [&missing](const auto& reply) {
            missing = !reply.found();
            return control::NONE;
          });
      return missing ? session.printer.NotFound(words.key) : status;
    }));
    CLI::App* attach = Add("attach", "make a client findable here, until interrupted",
                           [&words = words_](Session& session) {
                             control::AttachRequest request;
                             *request.mutable_client() = KeyOf(words.key);
                             request.set_sequence(words.sequence);
                             return Attach(session, request);
                           });
    WithKey(attach);
    attach->add_option("--sequence", words_.sequence, "the highest wins; default 0")
        ->check(IsNatural());
  }

  CLI::App& app_;
  Words& words_;
  Verb& verb_;
};

// One line of a script: a command without the flags that say whom to talk to.
int RunLine(const std::string& line, const Session& session, const Printer& printer) {
  CLI::App app("a command", "");
  Words words;
  Verb verb;
  const Verbs verbs(app, words, verb);
  try {
    app.parse(line);
  } catch (const CLI::ParseError& error) {
    return printer.BadUsage(WhatIsWrong(app, error, {line.substr(0, line.find(' '))}));
  }
  Session own{session.stub, printer, session.timeout_s};
  return verb(own);
}

// One end of a channel; standard input is not a script's to give, so no line of one may say it.
void AddPipe(CLI::App& app, Words& words, Verb& verb) {
  CLI::App* pipe = app.add_subcommand("pipe", "standard input and output as one end of a channel");
  CLI::Option* id = pipe->add_option("ID", words.id, "the other node");
  CLI::Option* service = pipe->add_option("SERVICE", words.service, "that accepts it there");
  CLI::Option* listen = pipe->add_option("--listen", words.listen,
                                         "a service: take the next channel that is opened to it");
  id->check(IsId());
  listen->excludes(id)->excludes(service);
  pipe->callback([&words, &verb] {
    if (words.listen.empty() && words.service.empty()) {
      throw CLI::RequiredError("ID SERVICE or --listen SERVICE");
    }
    verb = [&words](Session& session) {
      control::ChannelInput first;
      if (!words.listen.empty()) {
        first.mutable_accept()->set_service(words.listen);
      } else {
        first.mutable_open()->set_id(BytesOfHex(words.id));
        first.mutable_open()->set_service(words.service);
      }
      return RunPipe(*session.stub, first, session.printer);
    };
  });
}

int Script(const Session& session) {
  RunScript(std::cin, stdout, [&](const std::string& line, const Printer& printer) {
    return RunLine(line, session, printer);
  });
  return 0;
}

int Main(int argc, char** argv) {
  KeepOpenSslAtExit();
  CLI::App app("Talks to a tombolo-node.", "tomboloctl");
  app.fallthrough();  // general options are understood after the command, too
  app.set_version_flag("--version", TOMBOLO_VERSION);
  app.footer(kFooter);
  Words words;
  Verb verb;
  app.add_option("--node", words.node,
                 "its control address: HOST:PORT or unix:PATH; default 127.0.0.1:7401")
      ->check(IsControlAddress())
      ->envname("TOMBOLO_NODE");
  app.add_option("--ca", words.ca,
                 "PEM file that its certificate is checked against: use TLS; default none")
      ->envname("TOMBOLO_CA");
  app.add_option("--token-file", words.token_file,
                 "file with the token of its control API; default none")
      ->envname("TOMBOLO_TOKEN_FILE");
  app.add_flag("--json", words.json, "one JSON object per reply");
  app.add_option("--timeout", words.timeout_s,
                 "seconds to wait for a reply; 1 to 86400; default 30")
      ->check(CLI::Range(1, 86'400));
  const Verbs verbs(app, words, verb);
  AddPipe(app, words, verb);
  app.add_subcommand("script", "run commands from standard input, one per line, side by side")
      ->footer(
          "Writes JSON lines, each with the number of the line that it answers: replies, then\n"
          "the command's exit status, with an error if there is one.")
      ->callback([&verb] { verb = Script; });
  std::string shell;
  CLI::App* completion = app.add_subcommand("completion", "a completion script for your shell");
  completion->add_option("SHELL", shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return Printer(false).BadUsage(WhatIsWrong(app, error, {argv + 1, argv + argc}));
  }
  if (completion->parsed()) {
    std::fputs(CompletionScript(app, shell).c_str(), stdout);
    return 0;
  }
  const auto credentials = MakeCredentials(words.ca, words.token_file);
  if (!credentials.ok()) {
    return Printer(false).BadUsage(std::string(credentials.status().message()));
  }
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  Session session{
      control::Control::NewStub(grpc::CreateCustomChannel(words.node, *credentials, arguments)),
      Printer(words.json), words.timeout_s, !words.json && !words.lines};
  return verb(session);
}

}  // namespace
}  // namespace tombolo::node

int main(int argc, char** argv) { return tombolo::node::Main(argc, argv); }
