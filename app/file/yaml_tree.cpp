// SPDX-License-Identifier: BSD-3-Clause

#include "app/file/yaml_tree.hpp"

#include "app/base/text.hpp"

#include <fmt/format.h>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_map>

namespace sheaf::app {

namespace {

/// Thrown out of yaml-cpp, which has no other way to stop.
struct refused {
  finding why;
};

[[noreturn]] void refuse(location at, std::string message) { throw refused{{.at = at, .message = std::move(message)}}; }

/// The places of characters, by the bytes that yaml-cpp counts.
class places {
public:
  explicit places(std::string_view text) {
    std::size_t characters = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (i % step == 0)
        before_.push_back(characters);
      characters += begins_character(text[i]);
      if (text[i] == '\n')
        lines_.push_back(i + 1);
    }
    text_ = text;
  }

  location of(const YAML::Mark& mark) const { return at(byte(mark)); }

  location at(std::size_t byte) const {
    const auto line = static_cast<std::size_t>(std::upper_bound(lines_.begin(), lines_.end(), byte) - lines_.begin());
    return {line, characters_before(byte) - characters_before(lines_[line - 1]) + 1};
  }

  std::size_t byte(const YAML::Mark& mark) const {
    const auto line = std::min(static_cast<std::size_t>(std::max(mark.line, 0)), lines_.size() - 1);
    return lines_[line] + static_cast<std::size_t>(std::max(mark.column, 0));
  }

  std::string_view text() const noexcept { return text_; }

  /// True when white space with a tab in it stands before the first character of a line.
  bool is_indented_by_tab(std::size_t line) const {
    if (line < 1 || line > lines_.size())
      return false;
    const auto rest = text_.substr(lines_[line - 1]);
    const auto indentation = rest.substr(0, rest.find_first_not_of(" \t"));
    return indentation.find('\t') != indentation.npos;
  }

private:
  static constexpr std::size_t step = 64; ///< So that a place in a long line is found at once.

  static bool begins_character(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

  std::size_t characters_before(std::size_t byte) const {
    byte = std::min(byte, text_.size());
    if (before_.empty())
      return 0;
    const auto known = std::min(byte / step, before_.size() - 1);
    const auto rest = text_.substr(known * step, byte - known * step);
    return before_[known] + static_cast<std::size_t>(std::count_if(rest.begin(), rest.end(), begins_character));
  }

  std::string_view text_;
  std::vector<std::size_t> lines_{0}, before_; ///< The beginnings of lines; the characters before each `step` bytes.
};

/// The amount of a tree.
struct amount {
  std::size_t nodes = 0, bytes = 0;
};

void add_amount(amount& to, const yaml_node& x) {
  ++to.nodes;
  to.bytes += x.text.size();
  for (const auto& key : x.keys)
    to.bytes += key.text.size();
  for (const auto& value : x.values)
    add_amount(to, value);
}

amount amount_of(const yaml_node& x) {
  amount n;
  add_amount(n, x);
  return n;
}

/// The place where a quoted scalar ends that begins at `at`, behind its quote; npos when it does not end. What stands
/// there may have an anchor first, and may be no quoted scalar: then `at`.
std::size_t end_of_quoted(std::string_view text, std::size_t at) {
  constexpr std::string_view blank = " \t\r\n";
  while (at < text.size() && (text[at] == '&' || text[at] == '!' || text[at] == '#')) {
    at = std::min(text.find_first_of(text[at] == '#' ? "\n" : blank, at), text.size());
    at = std::min(text.find_first_not_of(blank, at), text.size());
  }
  if (at >= text.size() || (text[at] != '"' && text[at] != '\''))
    return at;
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    const bool is_escape = quote == '"' ? text[at] == '\\' : text.substr(at).starts_with("''");
    if (is_escape)
      ++at;
    else if (text[at] == quote)
      return at + 1;
  }
  return text.npos;
}

/// Makes the tree out of the parser's events: yaml-cpp's own tree takes keys twice, and aliases without a limit.
class builder final : public YAML::EventHandler {
public:
  explicit builder(const places& where) : where_(where) {}

  yaml_node document() && { return std::move(document_); }

  /// The cause of an error of yaml-cpp's, and its mend, as far as they can be told.
  finding explained(const YAML::Exception& e) const {
    const auto at = of(e.mark);
    return {.at = place_of(e, at), .message = cause_of(e, at) + hint()};
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0)
      refuse(of(mark), "a second document begins here; one file is one document");
    document_.at = of(mark);
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    yaml_node x;
    x.at = of(mark);
    finish(std::move(x), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    yaml_node x;
    x.at = of(mark);
    expect_no_tag(tag, x.at);
    x.quoted = tag == "!"; // so yaml-cpp tells quotes and blocks
    if (x.quoted)
      expect_end(mark, x.at);
    const bool is_null = !x.quoted && (value == "~" || value == "null" || value == "Null" || value == "NULL");
    if (!is_null) {
      x.is = yaml_node::kind::scalar;
      x.text = value;
    }
    finish(std::move(x), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      refuse(of(mark), "this alias stands within what it stands for");
    count(found->second.much, of(mark)); // before there is a copy of it
    add(yaml_node{found->second.node});
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    begin(yaml_node::kind::sequence, of(mark), tag, anchor, style);
  }
  void OnSequenceEnd() override { end(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    begin(yaml_node::kind::map, of(mark), tag, anchor, style);
  }
  void OnMapEnd() override { end(); }

private:
  struct open_node {
    yaml_node node;
    YAML::anchor_t anchor;
    bool wants_key; ///< Of a map: the next scalar is a key.
    bool in_brackets;
    std::unordered_map<std::string, std::size_t> lines; ///< Where each key stands.
  };

  struct anchored {
    yaml_node node;
    amount much;
  };

  location of(const YAML::Mark& mark) const { return where_.of(mark); }

  static void expect_no_tag(const std::string& tag, location at) {
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(at, fmt::format("the tag {} means nothing here; remove it", tag));
  }

  /// A quote that does not end swallows the rest of the file, and yaml-cpp is content.
  void expect_end(const YAML::Mark& mark, location at) {
    const auto begin = where_.byte(mark);
    const auto end = end_of_quoted(where_.text(), begin);
    if (end == std::string_view::npos)
      refuse(at, "this quote has no end: all that follows belongs to it");
    const auto last = where_.at(end).line;
    if (last > at.line)
      long_quote_ = {at.line, last};
  }

  location place_of(const YAML::Exception& e, location at) const {
    if (is(e, YAML::ErrorMsg::END_OF_MAP_FLOW) || is(e, YAML::ErrorMsg::END_OF_SEQ_FLOW))
      if (const auto* open = innermost_in_brackets())
        return open->node.at;
    return at;
  }

  std::string cause_of(const YAML::Exception& e, location at) const {
    for (const auto line : {at.line, at.line + 1, at.line - 1})
      if (where_.is_indented_by_tab(line))
        return fmt::format("a tab indents line {}: YAML takes spaces alone", line);
    if (is(e, YAML::ErrorMsg::MAP_VALUE))
      return "a colon with a space behind it, in a value without quotes: put the value into quotes, or into lines of "
             "its "
             "own below |";
    if (is(e, YAML::ErrorMsg::END_OF_MAP_FLOW) || is(e, YAML::ErrorMsg::END_OF_SEQ_FLOW))
      return fmt::format("this bracket has no end: a {} is missing", is(e, YAML::ErrorMsg::END_OF_MAP_FLOW)
                                                                         ? "}, or a comma before it,"
                                                                         : "], or a comma before it,");
    if (is(e, YAML::ErrorMsg::FLOW_END))
      return "this bracket closes nothing that is open: another kind, { or [, was opened last";
    if (is(e, YAML::ErrorMsg::END_OF_MAP) || is(e, YAML::ErrorMsg::END_OF_SEQ))
      return "this line fits nothing above it: see to its indentation, and to quotes that end too early";
    return e.msg;
  }

  static bool is(const YAML::Exception& e, const char* message) { return e.msg == message; }

  const open_node* innermost_in_brackets() const {
    const auto found = std::find_if(open_.rbegin(), open_.rend(), [](const open_node& x) { return x.in_brackets; });
    return found == open_.rend() ? nullptr : &*found;
  }

  /// Often the cause stands further up: a quote that ends where the next one was to begin.
  std::string hint() const {
    return long_quote_.first == 0 ? std::string{}
                                  : fmt::format("; the quote that begins in line {} ends in line {}: should it?",
                                                long_quote_.first, long_quote_.second);
  }

  void count(const amount& more, location at) {
    much_.nodes += more.nodes;
    much_.bytes += more.bytes;
    expect_few(much_, at, "with those that aliases repeat");
  }

  static void expect_few(const amount& much, location at, std::string_view of) {
    if (much.nodes > yaml_nodes_max)
      refuse(at, fmt::format("more than {} values, {}", yaml_nodes_max, of));
    if (much.bytes > yaml_mebibytes_max << 20)
      refuse(at, fmt::format("more than {} MiB of text in values, {}", yaml_mebibytes_max, of));
  }

  void begin(yaml_node::kind is, location at, const std::string& tag, YAML::anchor_t anchor,
             YAML::EmitterStyle::value style) {
    expect_no_tag(tag, at);
    const bool in_brackets = style == YAML::EmitterStyle::Flow;
    if (!open_.empty() && open_.back().wants_key && open_.back().node.is == yaml_node::kind::map)
      refuse(at, fmt::format("{} cannot be a key{}", to_string(is),
                             in_brackets ? "; if it is none, its closing bracket is missing" : ""));
    if (open_.size() == yaml_depth_max)
      refuse(at, fmt::format("nested deeper than {} levels", yaml_depth_max));
    count({1, 0}, at);
    open_.push_back({{}, anchor, is == yaml_node::kind::map, in_brackets, {}});
    open_.back().node.is = is;
    open_.back().node.at = at;
  }

  void end() {
    auto done = std::move(open_.back());
    open_.pop_back();
    remember(done.node, done.anchor);
    add(std::move(done.node));
  }

  void finish(yaml_node x, YAML::anchor_t anchor) {
    count({1, x.text.size()}, x.at);
    remember(x, anchor);
    add(std::move(x));
  }

  void remember(const yaml_node& x, YAML::anchor_t anchor) {
    if (anchor == 0)
      return;
    const auto much = amount_of(x);
    kept_.nodes += much.nodes;
    kept_.bytes += much.bytes;
    expect_few(kept_, x.at, "behind anchors");
    anchors_.insert_or_assign(anchor, anchored{x, much});
  }

  void add(yaml_node x) {
    if (open_.empty()) {
      document_ = std::move(x);
      return;
    }
    auto& [parent, anchor, wants_key, in_brackets, lines] = open_.back();
    if (parent.is == yaml_node::kind::map && wants_key) {
      if (x.is != yaml_node::kind::scalar)
        refuse(x.at, fmt::format("{} cannot be a key", to_string(x.is)));
      if (const auto [other, is_new] = lines.emplace(x.text, x.at.line); !is_new)
        refuse(x.at, fmt::format("\"{}\" is here twice; it stands in line {} already", x.text, other->second));
      parent.keys.push_back({std::move(x.text), x.at});
    } else {
      parent.values.push_back(std::move(x));
    }
    if (parent.is == yaml_node::kind::map)
      wants_key = !wants_key;
  }

  const places& where_;
  yaml_node document_;
  std::vector<open_node> open_;
  std::map<YAML::anchor_t, anchored> anchors_;
  amount much_, kept_;
  std::pair<std::size_t, std::size_t> long_quote_; ///< The lines where the last one begins and ends that has several.
  int documents_ = 0;
};

/// yaml-cpp takes whatever bytes there are.
void expect_utf8(const std::string& text) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") ||
      (text.size() > 1 && (text[0] == '\0') != (text[1] == '\0')))
    refuse({}, "the file is UTF-16: save it as UTF-8");
  location at;
  for (std::string_view rest = text; !rest.empty();) {
    const auto c = first_character(rest);
    if (!c.valid)
      refuse(at, fmt::format("the byte {:#04x} is not UTF-8", static_cast<unsigned>(c.code)));
    if (c.code == 0)
      refuse(at, "a NUL character");
    rest.remove_prefix(c.size);
    if (c.code == '\n')
      at = {at.line + 1, 1};
    else
      ++at.column;
  }
}

yaml_node parse(const std::string& text) {
  expect_utf8(text);
  const places where{text};
  std::istringstream in{text + '\n'}; // without it yaml-cpp tells of a quote without an end in words of its own
  YAML::Parser parser{in};
  builder tree{where};
  try {
    while (parser.HandleNextDocument(tree)) {
    }
  } catch (const YAML::Exception& e) {
    throw refused{tree.explained(e)};
  }
  return std::move(tree).document();
}

} // namespace

const yaml_node* yaml_node::find(std::string_view key) const noexcept {
  const auto found = std::find_if(keys.begin(), keys.end(), [key](const yaml_key& x) { return x.text == key; });
  return found == keys.end() ? nullptr : &values[static_cast<std::size_t>(found - keys.begin())];
}

std::string_view to_string(yaml_node::kind x) noexcept {
  switch (x) {
  case yaml_node::kind::null:
    return "nothing";
  case yaml_node::kind::scalar:
    return "a single value";
  case yaml_node::kind::sequence:
    return "a list";
  case yaml_node::kind::map:
    break;
  }
  return "a map";
}

boost::system::result<yaml_node, finding> parse_yaml(const std::string& text) {
  try {
    return parse(text);
  } catch (const refused& x) {
    return x.why;
  }
}

} // namespace sheaf::app
