#include "node/tomboloctl_shell.h"

#include <algorithm>

#include "overlay/nearest_word.h"

namespace tombolo::node {
namespace {

std::vector<const CLI::App*> CommandsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<std::string> FlagListOf(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

std::string FlagsOf(const CLI::App& app) {
  std::string flags;
  for (const std::string& flag : FlagListOf(app)) flags += (flags.empty() ? "" : " ") + flag;
  return flags;
}

std::string NamesOf(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : CommandsOf(app)) {
    names += (names.empty() ? "" : " ") + command->get_name();
  }
  return names;
}

// The command is the first word that is one; its flags and those of all are offered behind it.
std::string Bash(const CLI::App& app) {
  std::string script =
      "# bash completion of tomboloctl: source <(tomboloctl completion bash)\n"
      "_tomboloctl() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} command= word\n"
      "  COMPREPLY=()\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \" " +
      NamesOf(app) +
      " \" in *\" $word \"*) command=$word; break;; esac\n"
      "  done\n"
      "  case ${COMP_WORDS[COMP_CWORD-1]} in\n"
      "    --ca|--token-file) COMPREPLY=($(compgen -f -- \"$current\")); return;;\n"
      "  esac\n"
      "  case $command in\n"
      "    '') COMPREPLY=($(compgen -W \"" +
      NamesOf(app) + " " + FlagsOf(app) + "\" -- \"$current\"));;\n";
  for (const CLI::App* command : CommandsOf(app)) {
    const std::string more = command->get_name() == "completion" ? " bash zsh" : "";
    script += "    " + command->get_name() + ") COMPREPLY=($(compgen -W \"" + FlagsOf(*command) +
              more + "\" -- \"$current\"));;\n";
  }
  return script + "  esac\n}\ncomplete -F _tomboloctl tomboloctl\n";
}

std::string Quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4) {
    text.replace(at, 1, "'\\''");
  }
  return "'" + text + "'";
}

std::string Zsh(const CLI::App& app) {
  std::string script =
      "#compdef tomboloctl\n# zsh completion: tomboloctl completion zsh > a folder of "
      "$fpath/_tomboloctl\n"
      "_tomboloctl() {\n  local -a commands=(\n";
  for (const CLI::App* command : CommandsOf(app)) {
    script += "    " + Quoted(command->get_name() + ":" + command->get_description()) + "\n";
  }
  script += "  )\n  if (( CURRENT == 2 )); then _describe command commands; return; fi\n";
  script += "  case $words[2] in\n";
  for (const CLI::App* command : CommandsOf(app)) {
    const std::string more = command->get_name() == "completion" ? " bash zsh" : "";
    script += "    " + command->get_name() + ") compadd -- " + FlagsOf(*command) + more + ";;\n";
  }
  return script + "  esac\n}\ncompdef _tomboloctl tomboloctl\n";
}

}  // namespace

std::string CompletionScript(const CLI::App& app, const std::string& shell) {
  if (shell == "bash") return Bash(app);
  if (shell == "zsh") return Zsh(app);
  return "";
}

std::string WhatIsWrong(const CLI::App& app, const CLI::ParseError& error,
                        const std::vector<std::string>& words) {
  std::vector<std::string> flags = FlagListOf(app);
  std::vector<std::string> commands;
  for (const CLI::App* command : CommandsOf(app)) commands.push_back(command->get_name());
  // The command is the first word that is neither a flag nor the value of one.
  std::string given;
  for (std::size_t i = 0; i < words.size() && given.empty(); ++i) {
    if (!words[i].starts_with("-")) {
      given = words[i];
      continue;
    }
    const CLI::Option* option = app.get_option_no_throw(words[i].substr(0, words[i].find('=')));
    if (option == nullptr) return UnknownArgument({words[i]}, flags);
    if (option->get_expected_max() > 0 && words[i].find('=') == std::string::npos) ++i;
  }
  if (given.empty()) return "a command is missing; see --help";
  if (std::ranges::find(commands, given) == commands.end()) {
    return "unknown command '" + given + "'; did you mean '" +
           NearestWord(given, commands, kAnyDistance) + "'?";
  }
  const std::vector<std::string> unknown = app.remaining(true);
  if (unknown.empty()) return given + ": " + error.what();
  for (const std::string& flag : FlagListOf(*app.get_subcommand(given))) flags.push_back(flag);
  return given + ": " + UnknownArgument(unknown, flags);
}

}  // namespace tombolo::node
