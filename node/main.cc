// tombolo-node: one node of the overlay as a process. Exit status: kFooter says it.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "node/config.h"
#include "node/daemon.h"
#include "node/log.h"
#include "node/openssl_at_exit.h"
#include "overlay/nearest_word.h"

namespace tombolo::node {
namespace {

// Short names of the flags that everybody needs.
const std::map<std::string, std::string> kShortFlags = {
    {"links.listen", "--listen"},    {"links.bootstrap", "--bootstrap"},
    {"node.data_dir", "--data-dir"}, {"control.listen", "--control"},
    {"http.listen", "--http"},       {"security.insecure", "--insecure"}};

constexpr const char* kFooter =
    "Every option is also a key of the file given with --config, and a variable of the "
    "environment,\n"
    "as shown in brackets; [links.listen] is `listen` under `[links]`. Options win over the\n"
    "environment, that over the file. Lists: repeat the option, separate with commas in a\n"
    "variable, an array in the file. A variable that is no key is a warning, all else an error.\n"
    "\n"
    "Signals: SIGTERM and SIGINT leave the overlay and end the process, a second one ends it at\n"
    "once; SIGHUP reads the configuration again.\n"
    "\n"
    "Exit status: 0 after a drain; 1 if it cannot start; 2 for bad usage or configuration.\n"
    "\n"
    "Examples:\n"
    "  tombolo-node --data-dir /var/lib/tombolo --links-advertise relay.example:7400\n"
    "  tombolo-node --listen 0.0.0.0:7400 --bootstrap relay.example:7400 --control unix:/run/node\n"
    "  tombolo-node --config node.toml --check-config\n"
    "  TOMBOLO_LIMITS_LINKS=64 tombolo-node --config node.toml --http off";

struct Arguments {
  std::string config_file;
  bool check_config = false;
  std::map<std::string, std::vector<std::string>> values;  // by name of the key
};

void AddFlags(CLI::App& app, Arguments& arguments) {
  app.add_option("--config", arguments.config_file, "TOML file; default none")->type_name("FILE");
  app.add_flag("--check-config", arguments.check_config, "read the configuration and exit");
  for (const ConfigKey& key : ConfigKeys()) {
    const auto alias = kShortFlags.find(key.name());
    const std::string flags =
        alias == kShortFlags.end() ? key.flag() : alias->second + "," + key.flag();
    std::vector<std::string>& values = arguments.values[key.name()];
    CLI::Option* option = nullptr;
    if (key.kind == ConfigKind::kFlag) {
      option = app.add_flag(flags, values);  // "true", or what stands behind '='
    } else if (key.kind == ConfigKind::kList) {
      option = app.add_option(flags, values)->type_name("VALUE ...");
    } else {
      option = app.add_option(flags, values)->expected(1)->type_name("VALUE");
    }
    option->description(key.description());
  }
}

std::vector<std::string> FlagsOf(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

absl::Status ReadAll(const Arguments& arguments, NodeConfig& config) {
  if (!arguments.config_file.empty()) {
    if (absl::Status read = ReadConfigFile(arguments.config_file, config); !read.ok()) return read;
  }
  if (absl::Status read = ReadEnvironment(config); !read.ok()) return read;
  for (const ConfigKey& key : ConfigKeys()) {
    const std::vector<std::string>& values = arguments.values.at(key.name());
    if (values.empty()) continue;
    if (absl::Status set = SetConfig(key, values, key.flag(), config); !set.ok()) return set;
  }
  return CheckConfig(config);
}

int Fail(const absl::Status& status, int exit_status) {
  std::fprintf(stderr, "tombolo-node: %s\n", std::string(status.message()).c_str());
  return exit_status;
}

int Main(int argc, char** argv) {
  KeepOpenSslAtExit();
  CLI::App app("A node of a Tombolo overlay.", "tombolo-node");
  app.set_version_flag("--version", TOMBOLO_VERSION);
  app.footer(kFooter);
  Arguments arguments;
  AddFlags(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    const std::vector<std::string> unknown = app.remaining();
    const std::string what =
        unknown.empty() ? error.what() : UnknownArgument(unknown, FlagsOf(app));
    return Fail(absl::InvalidArgumentError(what), 2);
  }
  const std::vector<std::string> warnings = EnvironmentWarnings(environ);
  NodeConfig config;
  if (const absl::Status read = ReadAll(arguments, config); !read.ok()) return Fail(read, 2);
  if (arguments.check_config) {
    if (const absl::Status files = CheckFiles(config); !files.ok()) return Fail(files, 2);
    for (const std::string& warning : warnings)
      std::fprintf(stderr, "tombolo-node: warning: %s\n", warning.c_str());
    std::puts("the configuration is good");
    return 0;
  }
  SetUpLog(config.log_level);
  for (const std::string& warning : warnings) spdlog::warn("{}", warning);
  std::signal(SIGPIPE, SIG_IGN);
  const auto reread = [&arguments]() -> absl::StatusOr<NodeConfig> {
    NodeConfig again;
    if (absl::Status read = ReadAll(arguments, again); !read.ok()) return read;
    return again;
  };
  const absl::StatusOr<std::unique_ptr<Daemon>> daemon =
      Daemon::Make(config, TOMBOLO_VERSION, reread);
  if (!daemon.ok()) return Fail(daemon.status(), 1);
  if (const absl::Status started = (*daemon)->Start(); !started.ok()) return Fail(started, 1);
  (*daemon)->BeProcess();
  (*daemon)->Run();
  return 0;
}

}  // namespace
}  // namespace tombolo::node

int main(int argc, char** argv) { return tombolo::node::Main(argc, argv); }
