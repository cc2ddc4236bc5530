#include "gdsd/masking/pattern.h"

#include <algorithm>
#include <cmath>

#include "gdsd/base/random.h"

namespace gdsd {

namespace {

/// Hides x of the tokens begin … end − 1.
void hide_some(std::vector<bool>& hidden, int64_t begin, int64_t end, int64_t x, Key key) {
  const auto order = permutation(key, end - begin);
  for (int64_t i = 0; i < x; ++i) hidden[begin + order[i]] = true;
}

/// Hides each of the first n tokens with chance t; draws `first` … `first` + n − 1 decide.
void hide_each(std::vector<bool>& hidden, int64_t n, double t, Key key, uint64_t first = 0) {
  for (int64_t i = 0; i < n; ++i)
    if (uniform(key, first + i) < t) hidden[i] = true;
}

/// How many of n tokens SPG hides: one at least.
int64_t some_of(int64_t n, const MaskingOptions& o, Key key) {
  const auto share = [n](double rate) {
    return static_cast<int64_t>(static_cast<double>(n) * rate);
  };
  const int64_t least = std::max<int64_t>(share(o.min_rate), 1);
  const int64_t most = std::max(least, std::min(share(o.max_rate), n));
  return least + static_cast<int64_t>(below(key.fork("count"), 0, most - least + 1));
}

void hide_count(Hiding& h, const Canvas& canvas, int64_t x, Key row) {
  hide_some(h.hidden, 0, canvas.size, x, row);
  h.rate = static_cast<double>(x) / static_cast<double>(canvas.size);
}

void hide_bernoulli(Hiding& h, const Canvas& canvas, const MaskingOptions& o, Key row) {
  h.rate = o.min_rate + (o.max_rate - o.min_rate) * uniform(row, 0);
  hide_each(h.hidden, canvas.size, h.rate, row, 1);
}

/// SPG's block: the view-th of an order of all blocks, or of those with content.
int64_t block_of(const Canvas& canvas, const MaskingOptions& o, int64_t view, Key blocks) {
  const int64_t with_content = (canvas.content - 1) / o.block_length + 1;
  const int64_t n =
      o.wrap_blocks ? (canvas.size + o.block_length - 1) / o.block_length : with_content;
  return permutation(blocks, n)[view % n] % with_content;
}

void hide_block(Hiding& h, const Canvas& canvas, const MaskingOptions& o, int64_t view, Key blocks,
                Key row) {
  const int64_t begin = block_of(canvas, o, view, blocks) * o.block_length;
  const int64_t end = std::min(begin + o.block_length, canvas.size);
  const int64_t content = std::min(end, canvas.content);
  hide_each(h.hidden, begin, o.prompt_rate, row.fork("earlier"));
  std::fill(h.hidden.begin() + content, h.hidden.end(), true);
  if (o.pattern == Pattern::kBlockAll) {
    std::fill(h.hidden.begin() + begin, h.hidden.end(), true);
  } else {
    const int64_t x = some_of(content - begin, o, row);
    hide_some(h.hidden, begin, content, x, row);
    h.rate = static_cast<double>(x) / static_cast<double>(content - begin);
  }
  if (o.outside_block) return;
  for (int64_t i = 0; i < canvas.size; ++i)
    if (i < begin || i >= end) h.scored[i] = false;
}

/// The view-th bunch of steps: what they revealed, and what was to come, is hidden.
void hide_trace(Hiding& h, const Canvas& canvas, const MaskingOptions& o, int64_t view) {
  const auto last = traced_steps(canvas.step, o.shrink);
  const bool any = view < static_cast<int64_t>(last.size());  // shorter traces have fewer views
  for (int64_t i = 0; i < canvas.size; ++i) {
    const bool before = view > 0 && any && canvas.step[i] <= last[view - 1];
    h.hidden[i] = any && !before;
    h.scored[i] = h.hidden[i] && canvas.step[i] <= last[view];
  }
}

}  // namespace

Hiding hide(const Canvas& canvas, const MaskingOptions& o, int64_t view, int64_t count, Key blocks,
            Key row) {
  Hiding h{.prompt = std::vector<bool>(canvas.prompt, false),
           .hidden = std::vector<bool>(canvas.size, false),
           .scored = std::vector<bool>(canvas.size, true)};
  hide_each(h.prompt, canvas.prompt, o.prompt_rate, row.fork("prompt"));
  switch (o.pattern) {
    case Pattern::kStratified: hide_count(h, canvas, count, row); break;
    case Pattern::kUniform:
      count =
          o.least + static_cast<int64_t>(below(row.fork("count"), 0, canvas.size - o.least + 1));
      hide_count(h, canvas, count, row);
      break;
    case Pattern::kBernoulli: hide_bernoulli(h, canvas, o, row); break;
    case Pattern::kFull: hide_count(h, canvas, canvas.size, row); break;
    case Pattern::kFullAndPairs:
      if (view == 0)
        hide_count(h, canvas, canvas.size, row);
      else
        hide_bernoulli(h, canvas, o, row);
      break;
    case Pattern::kRandom:
      count = some_of(canvas.content, o, row);
      hide_some(h.hidden, 0, canvas.content, count, row);
      h.rate = static_cast<double>(count) / static_cast<double>(canvas.content);
      break;
    case Pattern::kBlockAll:
    case Pattern::kBlockRandom: hide_block(h, canvas, o, view, blocks, row); break;
    case Pattern::kTrace: hide_trace(h, canvas, o, view); break;
  }
  for (int64_t i = 0; i < canvas.size; ++i) h.scored[i] = h.scored[i] && h.hidden[i];
  return h;
}

std::vector<int64_t> traced_steps(std::span<const int64_t> step, int64_t shrink) {
  std::vector<int64_t> distinct(step.begin(), step.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<int64_t> last;
  for (size_t i = 0; i < distinct.size(); i += shrink)
    last.push_back(distinct[std::min(i + shrink, distinct.size()) - 1]);
  return last;
}

}  // namespace gdsd
