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

  location of(const YAML::Mark& mark) const {
    const auto line = std::min(static_cast<std::size_t>(std::max(mark.line, 0)), lines_.size() - 1);
    const auto begin = lines_[line];
    const auto column = static_cast<std::size_t>(std::max(mark.column, 0));
    return {line + 1, characters_before(begin + column) - characters_before(begin) + 1};
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

std::size_t size_of(const yaml_node& x) {
  std::size_t n = 1;
  for (const auto& value : x.values)
    n += size_of(value);
  return n;
}

/// Makes the tree out of the parser's events: yaml-cpp's own tree takes keys twice, and aliases without a limit.
class builder final : public YAML::EventHandler {
public:
  explicit builder(const places& where) : where_(where) {}

  yaml_node document() && { return std::move(document_); }

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
    auto copy = found->second;
    count(size_of(copy), of(mark));
    add(std::move(copy));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(yaml_node::kind::sequence, of(mark), tag, anchor);
  }
  void OnSequenceEnd() override { end(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(yaml_node::kind::map, of(mark), tag, anchor);
  }
  void OnMapEnd() override { end(); }

private:
  struct open_node {
    yaml_node node;
    YAML::anchor_t anchor;
    bool wants_key; ///< Of a map: the next scalar is a key.
  };

  location of(const YAML::Mark& mark) const { return where_.of(mark); }

  static void expect_no_tag(const std::string& tag, location at) {
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(at, fmt::format("the tag {} means nothing here; remove it", tag));
  }

  void count(std::size_t more, location at) {
    nodes_ += more;
    if (nodes_ > yaml_nodes_max)
      refuse(at, fmt::format("more than {} values, with those that aliases repeat", yaml_nodes_max));
  }

  void begin(yaml_node::kind is, location at, const std::string& tag, YAML::anchor_t anchor) {
    expect_no_tag(tag, at);
    if (!open_.empty() && open_.back().wants_key && open_.back().node.is == yaml_node::kind::map)
      refuse(at, fmt::format("{} cannot be a key", to_string(is)));
    if (open_.size() == yaml_depth_max)
      refuse(at, fmt::format("nested deeper than {} levels", yaml_depth_max));
    count(1, at);
    open_.push_back({{}, anchor, is == yaml_node::kind::map});
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
    count(1, x.at);
    remember(x, anchor);
    add(std::move(x));
  }

  void remember(const yaml_node& x, YAML::anchor_t anchor) {
    if (anchor == 0)
      return;
    kept_ += size_of(x);
    if (kept_ > yaml_nodes_max)
      refuse(x.at, fmt::format("more than {} values behind anchors", yaml_nodes_max));
    anchors_.insert_or_assign(anchor, x);
  }

  void add(yaml_node x) {
    if (open_.empty()) {
      document_ = std::move(x);
      return;
    }
    auto& [parent, anchor, wants_key] = open_.back();
    if (parent.is == yaml_node::kind::map && wants_key) {
      if (x.is != yaml_node::kind::scalar)
        refuse(x.at, fmt::format("{} cannot be a key", to_string(x.is)));
      if (const auto* other = parent.find(x.text))
        refuse(x.at, fmt::format("\"{}\" is here twice; it stands in line {} already", x.text, other->at.line));
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
  std::map<YAML::anchor_t, yaml_node> anchors_;
  std::size_t nodes_ = 0, kept_ = 0;
  int documents_ = 0;
};

/// yaml-cpp takes whatever bytes there are.
void expect_utf8(const std::string& text) {
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

yaml_node parse(const std::string& text, const places& where) {
  expect_utf8(text);
  std::istringstream in{text};
  YAML::Parser parser{in};
  builder tree{where};
  while (parser.HandleNextDocument(tree)) {
  }
  return std::move(tree).document();
}

} // namespace

const yaml_node* yaml_node::find(std::string_view key) const noexcept {
  const auto found = std::find_if(keys.begin(), keys.end(), [key](const yaml_key& x) { return x.text == key; });
  if (found == keys.end())
    return nullptr;
  const auto i = static_cast<std::size_t>(found - keys.begin());
  return i < values.size() ? &values[i] : this; // or its value is still being read
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
  const places where{text};
  try {
    return parse(text, where);
  } catch (const refused& x) {
    return x.why;
  } catch (const YAML::Exception& e) {
    return finding{.at = where.of(e.mark), .message = e.msg};
  }
}

} // namespace sheaf::app
