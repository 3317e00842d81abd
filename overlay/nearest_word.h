// The word that was meant where an unknown one was given: for the messages of both hosts.
//
// Thread rule: pure functions. O(|a| |b|) for each pair of words.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tombolo {

// How many letters to add, remove or change, or pairs of neighbours to swap (Damerau; each letter
// is touched once).
inline std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  std::vector<std::size_t> above = row;  // of one letter of `a` less
  std::vector<std::size_t> higher;       // of two less
  for (std::size_t i = 1; i <= a.size(); ++i) {
    higher = std::exchange(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({changed, above[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], higher[j - 2] + 1);
    }
  }
  return row.back();
}

inline constexpr std::size_t kAnyDistance = 1'000'000;

// The first of the nearest `names`; empty if there is none within `most` <= kAnyDistance.
inline std::string NearestWord(std::string_view word, const std::vector<std::string>& names,
                               std::size_t most) {
  std::string nearest;
  std::size_t distance = most + 1;
  for (const std::string& name : names) {
    const std::size_t here = EditDistance(word, name);
    if (here < distance) nearest = name;
    distance = std::min(distance, here);
  }
  return nearest;
}

// What to say of arguments that a program does not know (at least one), where `flags` are those
// that it does: "unknown argument '--lisen'; did you mean '--listen'?".
inline std::string UnknownArgument(const std::vector<std::string>& unknown,
                                   const std::vector<std::string>& flags) {
  // The value of an unknown flag is unknown, too, and less telling.
  const auto flag = std::find_if(unknown.begin(), unknown.end(),
                                 [](const std::string& word) { return word.starts_with('-'); });
  const std::string& word = flag == unknown.end() ? unknown.front() : *flag;
  const std::string name = word.substr(0, word.find('='));
  const std::size_t letters = name.size() - std::min(name.find_first_not_of('-'), name.size());
  const std::string nearest = NearestWord(name, flags, std::max<std::size_t>(1, letters / 3));
  const std::string hint = nearest.empty() ? "see --help" : "did you mean '" + nearest + "'?";
  return "unknown argument '" + word + "'; " + hint;
}

}  // namespace tombolo
