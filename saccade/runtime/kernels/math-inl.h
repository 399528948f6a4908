// Vector functions shared by the row functions. No include guard: included inside an open
// namespace once per target, after `namespace hn` and `using DF` (fp32 lanes), `using VF`.

/// 2^m * y for a vector m of whole numbers that still carries kMagic.
constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to whole numbers, kept in the
                                       // low bits of the mantissa
SACCADE_INLINE VF scale_by_power(VF y, VF magic_exponent) {
  const hn::RebindToSigned<DF> di;
  const auto shifted = hn::ShiftLeft<23>(hn::BitCast(di, magic_exponent));
  return hn::BitCast(DF(), hn::Add(hn::BitCast(di, y), shifted));
}

/// Horner's rule, highest coefficient first.
template <size_t kCount>
SACCADE_INLINE VF polynomial(VF x, const float (&coefficients)[kCount]) {
  const DF d;
  VF y = hn::Set(d, coefficients[0]);
  SACCADE_UNROLL(16)
  for (size_t i = 1; i < kCount; ++i) y = hn::MulAdd(y, x, hn::Set(d, coefficients[i]));
  return y;
}

/// e^x with a relative error of 1e-7; 0 below -87.3, 2.4e38 above 88.3. NaN stays NaN.
SACCADE_INLINE VF exponential(VF x) {
  const DF d;
  const VF low = hn::Set(d, -87.3F);
  // Max and Min return their second operand where one is NaN.
  const VF clamped = hn::Min(hn::Set(d, 88.3F), hn::Max(low, x));
  const VF power = hn::MulAdd(clamped, hn::Set(d, 1.44269504F), hn::Set(d, kMagic));
  const VF n = hn::Sub(power, hn::Set(d, kMagic));
  const VF r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4F),
                             hn::NegMulAdd(n, hn::Set(d, 0.693359375F), clamped));
  static constexpr float kExp[] = {0.0013859291F, 0.008374764F, 0.041667726F, 0.16666421F,
                                   0.49999994F,   1.0F,         1.0F};
  const VF y = scale_by_power(polynomial(r, kExp), power);
  return hn::IfThenElse(hn::Lt(x, low), hn::Zero(d), y);
}

/// 2^x for x <= 0 with a relative error of 2e-7, or of 8e-5, which bf16 hides (its own is 2e-3);
/// 0 below -126. NaN stays NaN.
template <bool kCoarse>
SACCADE_INLINE VF power_of_two(VF x) {
  const DF d;
  const VF power = hn::Add(x, hn::Set(d, kMagic));
  const VF r = hn::Sub(x, hn::Sub(power, hn::Set(d, kMagic)));
  static constexpr float kFine[] = {0.00132764725F, 0.00967554096F, 0.0555071309F,
                                    0.240221202F,   0.693146944F,   1.00000012F};
  static constexpr float kRough[] = {0.0551716685F, 0.242611125F, 0.693260968F, 0.999928057F};
  VF y;
  if constexpr (kCoarse)
    y = polynomial(r, kRough);
  else
    y = polynomial(r, kFine);
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -126.0F)), scale_by_power(y, power));
}

/// x / (1 + e^-2u), that is x times the logistic function of 2u.
SACCADE_INLINE VF gated(VF x, VF u) {
  const DF d;
  return hn::Div(x, hn::Add(hn::Set(d, 1.0F), exponential(hn::Mul(u, hn::Set(d, -2.0F)))));
}

/// x * Phi(x), the exact GELU, as max(x, 0) - |x| Phi(-|x|): no cancellation on the negative side.
/// Phi(-|x|) = P(|x|)^-8, where P is fitted on [0, 5.6]; beyond, the second term is below 1e-7.
/// Relative error 2e-6 for |x| <= 3; absolute error 2e-7 of the second term, which is at most 0.17.
SACCADE_INLINE VF gelu(VF x) {
  const DF d;
  static constexpr float kRoot[] = {4.3801807e-07F, -3.175705e-06F, 1.9877649e-05F, -1.5356572e-05F,
                                    0.00034646175F, 0.00082528356F, 0.009519506F,   0.048794873F,
                                    0.10876524F,    1.0905077F};
  const VF size = hn::Min(hn::Abs(x), hn::Set(d, 16.0F));
  const VF root = polynomial(size, kRoot), square = hn::Mul(root, root);
  const VF fourth = hn::Mul(square, square);
  return hn::Sub(hn::Max(hn::Zero(d), x), hn::Div(size, hn::Mul(fourth, fourth)));
}

/// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
SACCADE_INLINE VF gelu_tanh(VF x) {
  const DF d;
  const VF square = hn::Mul(x, x);
  const VF factor =
      hn::MulAdd(square, hn::Set(d, 0.79788456F * 0.044715F), hn::Set(d, 0.79788456F));
  return gated(x, hn::Mul(x, factor));
}

SACCADE_INLINE VF silu(VF x) { return gated(x, hn::Mul(x, hn::Set(DF(), 0.5F))); }

SACCADE_INLINE VF sigmoid(VF x) {
  return gated(hn::Set(DF(), 1.0F), hn::Mul(x, hn::Set(DF(), 0.5F)));
}

/// Relative error 3e-7: a series where 1 - e^-2|x| would cancel.
SACCADE_INLINE VF tanh(VF x) {
  const DF d;
  const VF one = hn::Set(d, 1.0F), size = hn::Abs(x), square = hn::Mul(x, x);
  const VF e = exponential(hn::Mul(size, hn::Set(d, -2.0F)));
  const VF far = hn::CopySignToAbs(hn::Div(hn::Sub(one, e), hn::Add(one, e)), x);
  static constexpr float kSeries[] = {-1382.0F / 155925, 62.0F / 2835, -17.0F / 315,
                                      2.0F / 15,         -1.0F / 3,    1.0F};
  const VF near = hn::Mul(x, polynomial(square, kSeries));
  return hn::IfThenElse(hn::Lt(size, hn::Set(d, 0.4F)), near, far);
}

template <Activation kActivation>
SACCADE_INLINE VF activation(VF x) {
  if constexpr (kActivation == Activation::relu) return hn::Max(hn::Zero(DF()), x);
  if constexpr (kActivation == Activation::gelu) return gelu(x);
  if constexpr (kActivation == Activation::gelu_tanh) return gelu_tanh(x);
  if constexpr (kActivation == Activation::silu) return silu(x);
  if constexpr (kActivation == Activation::sigmoid) return sigmoid(x);
  if constexpr (kActivation == Activation::tanh) return tanh(x);
  return x;
}

/// Calls f(std::integral_constant<Activation, which>).
template <class F>
SACCADE_INLINE void with_activation(Activation which, const F& f) {
  switch (which) {
    case Activation::none: return f(std::integral_constant<Activation, Activation::none>());
    case Activation::relu: return f(std::integral_constant<Activation, Activation::relu>());
    case Activation::gelu: return f(std::integral_constant<Activation, Activation::gelu>());
    case Activation::gelu_tanh:
      return f(std::integral_constant<Activation, Activation::gelu_tanh>());
    case Activation::silu: return f(std::integral_constant<Activation, Activation::silu>());
    case Activation::sigmoid: return f(std::integral_constant<Activation, Activation::sigmoid>());
    case Activation::tanh: return f(std::integral_constant<Activation, Activation::tanh>());
  }
}
