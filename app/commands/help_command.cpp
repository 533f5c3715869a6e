// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf help`: texts about topics, and the help of commands by another way. Main thread.

#include "app/base/exit.hpp"
#include "app/base/nearest.hpp"
#include "app/base/output.hpp"
#include "app/commands/command.hpp"
#include "app/commands/help_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace sheaf::app {

namespace {

std::string list_of_topics() {
  std::string out = "Topics:\n";
  for (const auto& x : help_topics())
    out += fmt::format("  sheaf help {:<12} {}\n", x.name, x.about);
  return out + "  sheaf help COMMAND      the same as sheaf COMMAND --help\n";
}

std::string text_of(const CLI::App& program, const std::string& topic) {
  if (topic.empty())
    return list_of_topics();
  std::vector<std::string_view> known;
  for (const auto& x : help_topics()) {
    if (x.name == topic)
      return x.text();
    known.push_back(x.name);
  }
  const auto commands = program.get_subcommands([](const CLI::App*) { return true; });
  for (const auto* x : commands) {
    if (x->get_name() == topic)
      return x->help(program.get_name());
    known.push_back(x->get_name());
  }
  const auto near = nearest(topic, known);
  bad_input(fmt::format("there is no help on \"{}\"{}", topic,
                        near.empty() ? fmt::format("; there is on {}", fmt::join(known, ", "))
                                     : fmt::format("; did you mean \"{}\"?", near)));
}

} // namespace

void add_help_command(CLI::App& program, chosen_command& chosen) {
  auto topic = std::make_shared<std::string>();
  auto* command = program.add_subcommand("help", "Explain a topic: the sheaf file, expressions, values, exit codes");
  std::string topics;
  for (const auto& x : help_topics())
    topics += fmt::format("{}{}", topics.empty() ? "" : "|", x.name);
  command->add_option("TOPIC", *topic, "A topic, or a command; the list of topics when not given")->type_name(topics);
  command->footer("Examples:\n  sheaf help\n  sheaf help file\n  sheaf help exit-codes\n");
  command->callback([topic, &program, &chosen] {
    chosen = [topic, &program] {
      output to;
      to.text() = text_of(program, *topic);
      to.flush();
      return exit_all_held;
    };
  });
}

} // namespace sheaf::app
