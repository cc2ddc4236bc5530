#include "gdsd/tensor/key_tensor.h"

#include "gdsd/tensor/constants.h"

namespace gdsd {

namespace {

constexpr int64_t kLow32 = 0xffff'ffff;

/// x ≫ n of unsigned numbers.
Tensor shifted_right(const Tensor& x, int64_t n) {
  return x.bitwise_right_shift(n).bitwise_and_((int64_t{1} << (64 - n)) - 1);
}

Tensor times(const Tensor& x, uint64_t factor) { return x * static_cast<int64_t>(factor); }

/// splitmix64, as Key::mix.
Tensor mix(const Tensor& given) {
  Tensor x = given + static_cast<int64_t>(0x9E3779B97F4A7C15);
  x = times(x ^ shifted_right(x, 30), 0xBF58476D1CE4E5B9);
  x = times(x ^ shifted_right(x, 27), 0x94D049BB133111EB);
  return x ^ shifted_right(x, 31);
}

}  // namespace

Tensor key_tensor(std::span<const Key> keys, at::Device device) {
  std::vector<int64_t> bits;
  for (Key key : keys) bits.push_back(static_cast<int64_t>(key.bits));
  return copied(bits, at::kLong, device);
}

Tensor fork(const Tensor& keys, std::string_view purpose, const Tensor& index) {
  Tensor h = mix(keys);
  for (char c : purpose) h = mix(h ^ int64_t{static_cast<unsigned char>(c)});
  return mix(h ^ index);
}

// Philox 4x32-10 at counter 0, as philox() of gdsd/base/random.h, of which the first word is taken.
Tensor first_uniform(const Tensor& keys) {
  Tensor k0 = keys.bitwise_and(kLow32), k1 = shifted_right(keys, 32);
  std::array<Tensor, 4> c;
  for (Tensor& word : c) word = at::zeros_like(keys);
  for (int round = 0; round < 10; ++round) {
    const Tensor p0 = times(c[0], 0xD2511F53), p1 = times(c[2], 0xCD9E8D57);
    c = {shifted_right(p1, 32) ^ c[1] ^ k0, p1.bitwise_and(kLow32),
         shifted_right(p0, 32) ^ c[3] ^ k1, p0.bitwise_and(kLow32)};
    k0 = (k0 + 0x9E3779B9).bitwise_and_(kLow32);
    k1 = (k1 + 0xBB67AE85).bitwise_and_(kLow32);
  }
  return (c[0].to(at::kDouble) + 0.5) * 0x1p-32;
}

std::vector<Key> to_keys(const Tensor& keys) {
  std::vector<Key> out;
  for (int64_t bits : to_vector<int64_t>(keys)) out.push_back({static_cast<uint64_t>(bits)});
  return out;
}

}  // namespace gdsd
