#include "node/tomboloctl_shell.h"

#include <algorithm>

#include "overlay/edit_distance.h"

namespace tombolo::node {
namespace {

std::vector<const CLI::App*> CommandsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string FlagsOf(const CLI::App& app) {
  std::string flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      flags += (flags.empty() ? "--" : " --") + name;
    }
  }
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

std::string UnknownCommand(const CLI::App& app, const std::vector<std::string>& words) {
  std::string given;
  for (std::size_t i = 0; i < words.size() && given.empty(); ++i) {
    if (!words[i].starts_with("-")) {
      given = words[i];
      continue;
    }
    const CLI::Option* option = app.get_option_no_throw(words[i]);
    if (option != nullptr && option->get_expected_max() > 0) ++i;  // its value
  }
  if (given.empty()) return "";
  const CLI::App* nearest = nullptr;
  for (const CLI::App* command : CommandsOf(app)) {
    if (command->get_name() == given) return "";
    const auto distance = [&](const CLI::App* one) { return EditDistance(given, one->get_name()); };
    if (nearest == nullptr || distance(command) < distance(nearest)) nearest = command;
  }
  return "unknown command '" + given + "'; did you mean '" + nearest->get_name() + "'?";
}

}  // namespace tombolo::node
