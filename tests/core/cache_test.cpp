// Kept keys and values: what is exact about them, and that the rest is said.
#include <c10/core/GradMode.h>

#include "gdsd/rollout/rollout.h"
#include "gdsd/text/char_tokenizer.h"
#include "tests/core/kernel_fixture.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

const std::vector<Cache> kCaches{Cache::kPrefix, Cache::kDual};

ArchitectureOptions with_layers(ArchitectureOptions options, int64_t n) {
  std::visit(
      [n](auto& o) {
        if constexpr (requires { o.n_layers; })
          o.n_layers = n;
        else
          o.num_hidden_layers = n;
      },
      options);
  return options;
}

Transformer model_of(const ArchitectureOptions& options, at::ScalarType type = at::kFloat) {
  const ModelConfig made = tiny_model_config(options);
  return {made, init_weights(made.architecture, {3}), Compute{.dtype = type}};
}

Samples sampled(const Transformer& model, Cache cache, int64_t refresh, int64_t C = 12) {
  SamplerOptions o{.gen_length = C, .block_length = C / 3, .steps = C, .temperature = 1.0};
  o.cache = cache;
  o.cache_refresh = refresh;
  return sample(model, {to_tensor<int64_t>({3, 4, 5, 3, 4, 5, 6, 7}), {3, 5}}, o, rollout_keys(2));
}

/// With the kernels and with libtorch's operations.
void with_and_without_kernels(const std::function<void()>& body) {
  const KernelChoice before = kernels_in_use();
  for (KernelChoice choice : {before, KernelChoice::kOff}) {
    use_kernels(choice);
    SCOPED_TRACE(to_text(choice));
    body();
  }
  use_kernels(before);
}

TEST(Cache, RefreshedAtEveryStepIsExact) {
  with_and_without_kernels([] {
    for (const ArchitectureOptions& options : families())
      for (at::ScalarType type : kTypes)
        for (Cache cache : kCaches) {
          const Transformer model = model_of(options, type);
          const Samples exact = sampled(model, Cache::kNone, 0), fresh = sampled(model, cache, 1);
          EXPECT_TRUE(exact.sequences.tokens.equal(fresh.sequences.tokens));
          EXPECT_TRUE(exact.step.equal(fresh.step));
        }
  });
}

TEST(Cache, KeptForABlockIsAnApproximation) {
  for (Cache cache : kCaches) {
    int64_t differ = 0;
    for (const ArchitectureOptions& options : families()) {
      const Transformer model = model_of(options);
      differ += !sampled(model, Cache::kNone, 0, 48)
                     .sequences.tokens.equal(sampled(model, cache, 0, 48).sequences.tokens);
    }
    EXPECT_GT(differ, 0);
  }
}

/// Two canvases of a ragged batch that differ everywhere, and a window in the middle of each
/// sequence with rows asked for in it.
struct Canvases {
  Packed before{random_tokens(17, kTinyVocabulary.size, "before"), {5, 9, 3}};
  Packed after{random_tokens(17, kTinyVocabulary.size, "after"), {5, 9, 3}};
  Window window{{1, 8, 15}, {4, 12, 17}};
  Rows rows{to_tensor<int64_t>({2, 3, 8, 11, 15}), {2, 2, 1}};
};

// In the first layer keys and values are of a token alone: kept ones are those of the tokens that
// were there, as if these were there still. A shifted model's window begins a token sooner.
TEST(Cache, OfOneLayerSeesTheTokensThatWereThere) {
  with_and_without_kernels([] {
    const c10::NoGradGuard no_grad;
    const Canvases c;
    for (const ArchitectureOptions& options : families()) {
      const Transformer model = model_of(with_layers(options, 1));
      KeyValues kept;
      model.encode_within(c.before, c.rows, c.window, kept);
      const Tensor got = model.encode_within(c.after, c.rows, c.window, kept);
      Packed mixed{c.before.tokens.clone(), c.before.lengths};
      for (size_t b = 0; b < 3; ++b) {
        const int64_t begin = c.window.begin[b] - (model.architecture().shifted ? 1 : 0);
        mixed.tokens.slice(0, begin, c.window.end[b])
            .copy_(c.after.tokens.slice(0, begin, c.window.end[b]));
      }
      EXPECT_LE(max_difference(got, model.encode(mixed, c.rows)), 1e-6);
      EXPECT_GT(max_difference(got, model.encode(c.after, c.rows)), 1e-4);
    }
  });
}

TEST(Cache, AWindowOfEverythingIsExactAndLeavesItsOwnKeys) {
  with_and_without_kernels([] {
    const c10::NoGradGuard no_grad;
    const Canvases c;
    const Window all{{0, 5, 14}, {5, 14, 17}};
    for (const ArchitectureOptions& options : families()) {
      const Transformer model = model_of(options);
      KeyValues kept, fresh;
      model.encode_within(c.before, c.rows, c.window, kept);
      EXPECT_TRUE(
          model.encode_within(c.after, c.rows, all, kept).equal(model.encode(c.after, c.rows)));
      model.encode_within(c.after, c.rows, all, fresh);
      for (size_t i = 0; i < fresh.layers.size(); ++i) {
        EXPECT_TRUE(kept.layers[i].k.equal(fresh.layers[i].k));
        EXPECT_TRUE(kept.layers[i].v.equal(fresh.layers[i].v));
      }
    }
  });
}

// Equal are sequences that are so now and were when the keys were made. What is asked of one alone
// changes none of another's states.
TEST(Cache, EqualSequencesAreOneAndThoseNotAskedForStay) {
  with_and_without_kernels([] {
    const c10::NoGradGuard no_grad;
    const Tensor one = random_tokens(6, kTinyVocabulary.size, "one"),
                 two = random_tokens(6, kTinyVocabulary.size, "two"),
                 four = random_tokens(4, kTinyVocabulary.size, "four");
    const Packed x{at::cat({one, one, two, four}), {6, 6, 6, 4}},
        later{at::cat({two, two, two, four}), {6, 6, 6, 4}};
    const Window window{{2, 8, 14, 19}, {5, 11, 17, 22}};
    const Rows rows{to_tensor<int64_t>({2, 4, 8, 10, 14, 16, 20}), {2, 2, 2, 1}},
        fewer{to_tensor<int64_t>({3, 20}), {1, 0, 0, 1}};
    for (const ArchitectureOptions& options : families()) {
      const ModelConfig made = tiny_model_config(options);
      const TensorMap weights = init_weights(made.architecture, {3});
      const Transformer once(made, weights, {}), again(made, weights, {.reuse = false});
      KeyValues a, b;
      expect_same(once.encode_within(x, rows, window, a), again.encode_within(x, rows, window, b),
                  1e-6);
      for (size_t i = 0; i < a.layers.size(); ++i) {
        expect_same(a.layers[i].k, b.layers[i].k, 1e-6);
        expect_same(a.layers[i].v, b.layers[i].v, 1e-6);
      }
      const Tensor shared = once.encode_within(later, rows, window, a);
      expect_same(shared, again.encode_within(later, rows, window, b), 1e-6);
      EXPECT_TRUE(shared.slice(0, 0, 2).equal(shared.slice(0, 2, 4)));
      EXPECT_GT(max_difference(shared.slice(0, 0, 2), shared.slice(0, 4, 6)), 1e-4)
          << "they attend to the keys of other tokens";
      expect_same(once.encode_within(later, fewer, window, a),
                  again.encode_within(later, fewer, window, b), 1e-6);
      expect_same(once.encode_within(x, rows, window, a), again.encode_within(x, rows, window, b),
                  1e-6);
    }
  });
}

TEST(Cache, ReplacesTheWindowsKeysAlone) {
  const c10::NoGradGuard no_grad;
  const Canvases c;
  const Transformer model = model_of(tiny_config());
  KeyValues kept;
  model.encode_within(c.before, c.rows, c.window, kept);
  const Tensor k = kept.layers[1].k.clone();
  model.encode_within(c.after, c.rows, c.window, kept);
  const Tensor changed = (kept.layers[1].k != k).any(1);
  const Tensor expected =
      to_tensor<int64_t>({0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 1}).to(at::kBool);
  EXPECT_TRUE(changed.equal(expected)) << changed;
}

Rollouts audited(const Transformer& model, Cache cache, int64_t refresh, int64_t audit) {
  static const CharTokenizer tokenizer("abcdefghij");
  static const std::vector<Example> problems{{.prompt = "abc", .answer = "", .source = "0"},
                                             {.prompt = "hgfed", .answer = "", .source = "1"}};
  SamplerOptions sampler{.gen_length = 12, .block_length = 12, .steps = 12, .temperature = 1.0};
  sampler.cache = cache;
  sampler.cache_refresh = refresh;
  return rollout(model, tokenizer, problems, {.group_size = 4, .audit = audit, .sampler = sampler},
                 {1}, 3);
}

TEST(Audit, ChangesNothingAndSaysHowManyTokensStay) {
  const Transformer model = model_of(tiny_config());
  const Rollouts with = audited(model, Cache::kPrefix, 0, 4),
                 without = audited(model, Cache::kPrefix, 0, 0);
  EXPECT_TRUE(with.sequences.tokens.equal(without.sequences.tokens));
  EXPECT_TRUE(without.agreement.empty());
  ASSERT_EQ(with.agreement.size(), 2u);  // rollouts 12 and 16 of all, 0 and 4 of these
  EXPECT_TRUE(with.agreement.contains(0) && with.agreement.contains(4));
  EXPECT_LT(with.agreement.at(0) + with.agreement.at(4), 2);
  EXPECT_EQ(audited(model, Cache::kPrefix, 1, 1).agreement.size(), 8u);
  for (const auto& [b, share] : audited(model, Cache::kPrefix, 1, 1).agreement)
    EXPECT_EQ(share, 1) << b;
  EXPECT_TRUE(audited(model, Cache::kNone, 0, 1).agreement.empty());
}

TEST(Cache, OptionsThatDoNotGoTogetherAreErrors) {
  SamplerOptions o;
  o.cache_refresh = 2;
  EXPECT_NE(error_of([&] { o.validate(); }).find("no cache to refresh"), std::string::npos);
  o.cache = Cache::kDual;
  EXPECT_EQ(error_of([&] { o.validate(); }), "no error");
  o.compat.emit_mask = true;
  EXPECT_NE(error_of([&] { o.validate(); }).find("emit_mask"), std::string::npos);
  SamplerOptions cached{.gen_length = 4, .block_length = 4, .steps = 4};
  cached.cache = Cache::kPrefix;
  const auto sampling = [&] {
    sample(TableDenoiser(), {to_tensor<int64_t>({1, 2}), {2}}, cached, rollout_keys(1));
  };
  EXPECT_NE(error_of(sampling).find("sampler.cache=none"), std::string::npos);
}

}  // namespace
}  // namespace gdsd
