// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/known_columns.hpp"

#include <algorithm>

namespace sheaf::app::serve {

known_columns::known_columns(const sheaf_file& file) : file_(file) {
  for (const auto& x : file.requests)
    requests_.emplace_back().missing = static_cast<std::size_t>(
        std::count_if(x.queries.begin(), x.queries.end(), [](const query_spec& q) { return !q.for_each; }));
}

void known_columns::learn(std::size_t request, const reply& got) {
  auto& mine = requests_[request];
  if (mine.missing.load(std::memory_order_relaxed) == 0)
    return;
  const std::unique_lock held{mutex_, std::try_to_lock};
  if (!held)
    return;
  for (const auto& q : file_.requests[request].queries) {
    if (q.for_each || mine.known.contains(q.query.name))
      continue;
    const auto found = std::find_if(got.outcomes.begin(), got.outcomes.end(),
                                    [&](const outcome& x) { return x.name == q.query.name && x.ok(); });
    if (found == got.outcomes.end())
      continue;
    auto& columns = mine.known[q.query.name];
    const auto& rows = found->table();
    for (std::size_t i = 0; i < rows.columns(); ++i)
      columns.push_back(rows.column_at(i));
    mine.missing.fetch_sub(1, std::memory_order_relaxed);
    version_.fetch_add(1, std::memory_order_release);
  }
}

std::vector<column> known_columns::of(std::size_t request, std::string_view query) const {
  const std::lock_guard held{mutex_};
  const auto& known = requests_[request].known;
  const auto found = known.find(query);
  return found == known.end() ? std::vector<column>{} : found->second;
}

} // namespace sheaf::app::serve
