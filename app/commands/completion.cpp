// SPDX-License-Identifier: BSD-3-Clause
//
// Both shells share one function, which prints the words that may stand at the cursor, a line each; a tab with FILES or
// YAML is for files. Words may come out of a file that somebody else has written: a shell inserts each in quotes of its
// own, so that whatever it is, it is one word.
// Its knowledge is in three lists of patterns: options that take a value, these values, and all else that may come.

#include "app/commands/completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace sheaf::app {

namespace {

using option_list = std::vector<const CLI::Option*>;

option_list options_of(const CLI::App& of, bool positional) {
  option_list all;
  for (const auto* x : of.get_options())
    if (x->get_positional() == positional && !x->get_group().empty())
      all.push_back(x);
  return all;
}

std::vector<std::string> names_of(const CLI::Option& x) {
  std::vector<std::string> all;
  for (const auto& name : x.get_lnames())
    all.push_back("--" + name);
  for (const auto& name : x.get_snames())
    all.push_back("-" + name);
  return all;
}

/// The command that prints what is in the sheaf file.
std::string words_from_file(std::string_view what) {
  return fmt::format("\"$program\" completion --in \"$file\" --list {} --of \"$name\" 2>/dev/null </dev/null", what);
}

/// The command that prints the possible values: the help gives them as `table|json`, `FILE` or `NAME`.
std::string values_of(const CLI::Option& x) {
  auto type = x.get_type_name();
  if (type.find('|') != type.npos) {
    std::replace(type.begin(), type.end(), '|', ' ');
    return fmt::format("printf '%s\\n' {}", type);
  }
  const auto placeholder = x.get_positional() ? x.get_name(true) : type;
  if (placeholder == "FILE" && x.get_positional())
    return "printf '\\tYAML\\n'";
  if (placeholder == "FILE" || placeholder == "[FILE]")
    return "printf '\\tFILES\\n'";
  if (placeholder == "NAME" && x.get_positional())
    return words_from_file("names");
  if (placeholder == "SCENARIO" && x.get_positional())
    return words_from_file("scenarios");
  if (x.check_lname("define"))
    return words_from_file("variables");
  if (x.check_lname("param"))
    return words_from_file("parameters"); // of a file's request; elsewhere there is no file, and it prints nothing
  return ":";
}

void append_values(std::string& takes, std::string& values, const CLI::App& command) {
  for (const auto* x : options_of(command, false))
    if (x->get_items_expected_max() > 0)
      for (const auto& name : names_of(*x)) {
        takes += fmt::format("{}'{} {}'", takes.empty() ? "" : " | ", command.get_name(), name);
        values += fmt::format("    '{} {}') {} ;;\n", command.get_name(), name, values_of(*x));
      }
}

void append_words(std::string& words, const CLI::App& command, const std::string& commands) {
  std::string flags;
  for (const auto* x : options_of(command, false))
    for (const auto& name : names_of(*x))
      flags += ' ' + name;
  words += fmt::format("    '{}'*)\n      printf '%s\\n'{}\n      case $n in\n", command.get_name() + ' ', flags);
  const auto places = options_of(command, true);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const bool any_number = places[i]->get_items_expected_max() > 1;
    const bool is_topic = places[i]->get_name(true) == "TOPIC"; // a command is one, too
    words += fmt::format("        {}) {}{} ;;\n", any_number ? "*" : std::to_string(i), values_of(*places[i]),
                         is_topic ? commands : "");
  }
  words += "      esac ;;\n";
}

std::string shared_function(const CLI::App& program) {
  std::string commands, patterns, takes, values, words;
  for (const auto* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    commands += ' ' + command->get_name();
    patterns += fmt::format("{}' {}'", patterns.empty() ? "" : " | ", command->get_name());
    append_values(takes, values, *command);
  }
  for (const auto* command : program.get_subcommands([](const CLI::App*) { return true; }))
    append_words(words, *command, commands);
  for (const auto* x : options_of(program, false))
    for (const auto& name : names_of(*x))
      commands += ' ' + name;
  return fmt::format(R"(_sheaf_words() {{ # PROGRAM WORD... before the cursor
  local program="$1" command='' option='' file='' name='' word n=0
  shift
  for word in "$@"; do
    if [ "$word" = '=' ]; then option='='; continue; fi # bash takes --format=csv apart
    if [ "$option" = '=' ]; then option=''; continue; fi
    if [ -n "$option" ]; then
      option=''
      case "$word" in -?*) ;; *) continue ;; esac # else its value was left out
    fi
    case "$command $word" in
    {}) command="$word" ;;
    {}) option="$word" ;;
    "$command -"?*) ;;
    *) case $n in 0) file="$word" ;; 1) name="$word" ;; esac; n=$((n + 1)) ;;
    esac
  done
  case "$file" in '~/'*) file="$HOME/${{file#??}}" ;; esac
  if [ -n "$option" ]; then
    case "$command $option" in
{}    esac
    return
  fi
  case "$command $n" in
{}    *) printf '%s\n'{} ;;
  esac
}}
)",
                     patterns, takes, values, words, commands);
}

constexpr std::string_view bash_glue = R"(
_sheaf_files() { # PATTERN of names, beside folders
  local line path
  compopt -o filenames 2>/dev/null
  while IFS= read -r line; do
    path="$line"
    case "$path" in '~/'*) path="$HOME/${path#??}" ;; esac
    if [[ $path == $1 || -d $path ]]; then COMPREPLY+=("$line"); fi
  done < <(compgen -f -- "$word")
}
_sheaf() {
  local word="${COMP_WORDS[COMP_CWORD]}" line
  local -a before=("${COMP_WORDS[@]:0:COMP_CWORD}")
  if [[ $word == '=' ]]; then word=''; fi
  if [[ ${before[-1]} == '=' ]]; then unset 'before[-1]'; fi
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == -* && $word != -* ]]; then continue; fi
    case "$line" in
    $'\tFILES') _sheaf_files '*' ;;
    $'\tYAML') _sheaf_files '*.y?(a)ml'; if [[ ${#COMPREPLY[@]} == 0 ]]; then _sheaf_files '*'; fi ;;
    *[!0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.:=,+/@%-]*)
      # Only as one quoted word; and within quotes that are open already it would be quoted twice.
      printf -v line '%q' "$line"
      if [[ $word != [\"\']* && $line == "$word"* ]]; then COMPREPLY+=("$line"); fi
      ;;
    "$word"*)
      if [[ $line == *= ]]; then compopt -o nospace 2>/dev/null; fi
      COMPREPLY+=("$line")
      ;;
    esac
  done < <(_sheaf_words "${before[@]}")
}
complete -F _sheaf sheaf
)";

constexpr std::string_view zsh_glue = R"(
_sheaf() {
  local line files=''
  local -a before found open
  before=("${(@)words[1,CURRENT-1]}")
  if [[ $PREFIX == --*=* ]]; then
    before+=("${PREFIX%%=*}")
    compset -P '*='
  fi
  while IFS= read -r line; do
    if [[ $line == $'\tFILES' ]]; then
      files='*'
    elif [[ $line == $'\tYAML' ]]; then
      files='*.(yaml|yml)'
    elif [[ $line == *= ]]; then
      open+=("$line")
    elif [[ $line != -* || $PREFIX == -* ]]; then
      found+=("$line")
    fi
  done < <(_sheaf_words "${before[@]}")
  if (( $#found )); then compadd -a found; fi
  if (( $#open )); then compadd -S '' -a open; fi
  if [[ -n $files ]]; then _files -g "$files"; fi
}
if [[ ${funcstack[1]} == _sheaf ]]; then _sheaf "$@"; else compdef _sheaf sheaf; fi
)";

} // namespace

std::string bash_completion(const CLI::App& program) {
  return "# Completes sheaf in bash: source <(sheaf completion bash)\n\n" + shared_function(program) +
         std::string{bash_glue};
}

std::string zsh_completion(const CLI::App& program) {
  return "#compdef sheaf\n# Completes sheaf in zsh: source <(sheaf completion zsh), behind compinit\n\n" +
         shared_function(program) + std::string{zsh_glue};
}

} // namespace sheaf::app
