#include "saccade/checkpoint/dialect.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <map>
#include <optional>

#include "saccade/base/check.h"
#include "saccade/base/error.h"

namespace saccade::checkpoint {
namespace {

/// What the wildcards of a pattern matched: {i}, {j}, {p}.
using Captures = std::array<std::string, 3>;
size_t slot(char wildcard) { return std::string_view("ijp").find(wildcard); }

bool starts_with_wildcard(std::string_view pattern) {
  return pattern.starts_with("{i}") || pattern.starts_with("{j}") || pattern.starts_with("{p}");
}

std::optional<Captures> match(std::string_view pattern, std::string_view text) {
  Captures found;
  while (!pattern.empty()) {
    if (starts_with_wildcard(pattern)) {
      const bool digits = pattern[1] != 'p';
      size_t n = 0;
      while (n < text.size() && (digits ? std::isdigit(static_cast<unsigned char>(text[n])) != 0
                                        : text[n] != '.' && text[n] != '/'))
        ++n;
      if (n == 0) return std::nullopt;
      found[slot(pattern[1])] = text.substr(0, n);
      pattern.remove_prefix(3), text.remove_prefix(n);
    } else {
      if (text.empty() || text[0] != pattern[0]) return std::nullopt;
      pattern.remove_prefix(1), text.remove_prefix(1);
    }
  }
  return text.empty() ? std::optional(found) : std::nullopt;
}

std::string expand(std::string_view pattern, const Captures& captures) {
  std::string out;
  while (!pattern.empty()) {
    if (starts_with_wildcard(pattern)) {
      out += captures[slot(pattern[1])];
      pattern.remove_prefix(3);
    } else {
      out += pattern[0];
      pattern.remove_prefix(1);
    }
  }
  return out;
}

HostTensor reshape(const HostTensor& tensor, Shape shape) {
  return {tensor.dtype(), std::move(shape), tensor.bytes(), std::make_shared<HostTensor>(tensor)};
}

HostTensor permute(const HostTensor& tensor, std::span<const size_t> order) {
  const auto source = tensor.view();
  TensorView view{source.dtype, {}, {}, source.bytes};
  for (const size_t axis : order) {
    view.shape.push_back(source.shape[axis]);
    view.strides.push_back(source.strides[axis]);
  }
  return contiguous(view);
}

constexpr std::array<size_t, 2> kSwap{1, 0};

size_t rank_of(Layout layout) {
  switch (layout) {
    case Layout::conv_hwio: return 4;
    case Layout::heads_in:
    case Layout::heads_out: return 3;
    default: return 2;
  }
}

HostTensor layout_to_official(const HostTensor& t, Layout layout) {
  const auto& s = t.shape();
  switch (layout) {
    case Layout::same: return t;
    case Layout::linear_in_out: return permute(t, kSwap);
    case Layout::conv_hwio: return permute(t, std::array<size_t, 4>{3, 2, 0, 1});
    case Layout::heads_in: return permute(reshape(t, {s[0], s[1] * s[2]}), kSwap);
    case Layout::heads_out: return permute(reshape(t, {s[0] * s[1], s[2]}), kSwap);
    case Layout::heads_bias: return reshape(t, {s[0] * s[1]});
  }
  return t;
}

HostTensor layout_from_official(const HostTensor& t, Layout layout, int64_t heads) {
  const auto& s = t.shape();
  switch (layout) {
    case Layout::same: return t;
    case Layout::linear_in_out: return permute(t, kSwap);
    case Layout::conv_hwio: return permute(t, std::array<size_t, 4>{2, 3, 1, 0});
    case Layout::heads_in: return reshape(permute(t, kSwap), {s[1], heads, s[0] / heads});
    case Layout::heads_out: return reshape(permute(t, kSwap), {heads, s[1] / heads, s[0]});
    case Layout::heads_bias: return reshape(t, {heads, s[0] / heads});
  }
  return t;
}

HostTensor stack_rows(const std::vector<HostTensor>& parts, const std::string& name,
                      std::string_view where) {
  if (parts.size() == 1) return parts[0];
  Shape shape = parts[0].shape();
  for (size_t i = 1; i < parts.size(); ++i) {
    const auto& other = parts[i].shape();
    if (shape.empty() || other.size() != shape.size() || parts[i].dtype() != parts[0].dtype() ||
        !std::equal(other.begin() + 1, other.end(), shape.begin() + 1))
      throw input_error(where, "the parts of {} have different shapes: {} and {}", name,
                        to_string(parts[0].shape()), to_string(other));
    shape[0] += other[0];
  }
  HostTensor out(parts[0].dtype(), shape);
  auto* to = const_cast<std::byte*>(out.bytes().data());
  for (const auto& part : parts) {
    std::memcpy(to, part.bytes().data(), part.bytes().size());
    to += part.bytes().size();
  }
  return out;
}

HostTensor slice_rows(const HostTensor& tensor, int64_t part, int64_t parts) {
  Shape shape = tensor.shape();
  SACCADE_CHECK(!shape.empty() && shape[0] % parts == 0, "{} does not split in {}",
                to_string(shape), parts);
  shape[0] /= parts;
  const size_t size = tensor.bytes().size() / static_cast<size_t>(parts);
  return {tensor.dtype(), shape, tensor.bytes().subspan(static_cast<size_t>(part) * size, size),
          std::make_shared<HostTensor>(tensor)};
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(patterns, [&](const auto& p) { return match(p, name).has_value(); });
}

std::string_view strip_prefix(const Dialect& dialect, std::string_view name) {
  for (const auto& prefix : dialect.prefixes)
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  return name;
}

/// The rule whose side `theirs` names the tensor, with the part's position.
struct Hit {
  const Rule* rule;
  size_t part;
  Captures captures;
};
std::optional<Hit> find_rule(const Dialect& dialect, std::string_view name) {
  for (const auto& rule : dialect.rules)
    for (size_t part = 0; part < rule.theirs.size(); ++part)
      if (auto captures = match(rule.theirs[part], name)) return Hit{&rule, part, *captures};
  return std::nullopt;
}

/// True if the dialect has another name for this official one.
bool renames(const Dialect& dialect, std::string_view official) {
  return std::ranges::any_of(
      dialect.rules, [&](const Rule& rule) { return match(rule.official, official).has_value(); });
}

/// Parts of one official tensor as they are met, in the place of the first.
struct Pending {
  std::string name;
  std::vector<std::optional<HostTensor>> parts;
};

HostTensor checked_layout(const HostTensor& tensor, Layout layout, std::string_view name,
                          std::string_view where) {
  if (layout != Layout::same && tensor.shape().size() != rank_of(layout))
    throw input_error(where, "{} has shape {}, {} dimensions were expected", name,
                      to_string(tensor.shape()), rank_of(layout));
  return layout_to_official(tensor, layout);
}

}  // namespace

bool recognises(const Dialect& dialect, const NamedTensors& tensors) {
  if (dialect.evidence.empty()) return false;
  return std::ranges::all_of(dialect.evidence, [&](const std::string& pattern) {
    return std::ranges::any_of(tensors, [&](const auto& item) {
      return match(pattern, strip_prefix(dialect, item.first)).has_value();
    });
  });
}

std::string stray_name(const Dialect& dialect, const NamedTensors& tensors) {
  std::string stray;
  size_t strays = 0;
  for (const auto& [full_name, tensor] : tensors) {
    const auto name = strip_prefix(dialect, full_name);
    if (!find_rule(dialect, name) || renames(dialect, name)) continue;
    if (strays++ == 0) stray = full_name;
  }
  return strays < tensors.size() ? stray : "";
}

bool stores(const Dialect& dialect, std::string_view derived) {
  return matches_any(dialect.derived, derived);
}

NamedTensors to_official(const Dialect& dialect, const NamedTensors& tensors,
                         std::string_view where) {
  std::vector<Pending> pending;
  std::map<std::string, size_t> index;
  for (const auto& [full_name, tensor] : tensors) {
    const auto name = strip_prefix(dialect, full_name);
    if (matches_any(dialect.dropped, name)) continue;
    const auto hit = find_rule(dialect, name);
    if (!hit && renames(dialect, name))
      throw input_error(where,
                        "{} is an official name in a file of \"{}\" names: the file mixes two "
                        "conventions; convert its sources to one of them first",
                        full_name, dialect.name);
    const auto official = hit ? expand(hit->rule->official, hit->captures) : std::string(name);
    const auto [it, is_new] = index.try_emplace(official, pending.size());
    if (is_new) pending.push_back({official, {}});
    auto& parts = pending[it->second].parts;
    parts.resize(std::max(parts.size(), hit ? hit->rule->theirs.size() : 1));
    auto& part = parts[hit ? hit->part : 0];
    if (part)
      throw input_error(where, "two tensors become {}, one of them is {}", official, full_name);
    part = checked_layout(tensor, hit ? hit->rule->layout : Layout::same, full_name, where);
  }
  NamedTensors out;
  for (const auto& [name, parts] : pending) {
    std::vector<HostTensor> complete;
    for (const auto& part : parts) {
      if (!part) throw input_error(where, "{} is incomplete: one of its parts is missing", name);
      complete.push_back(*part);
    }
    out.emplace_back(name, stack_rows(complete, name, where));
  }
  return out;
}

NamedTensors from_official(const Dialect& dialect, const NamedTensors& tensors) {
  NamedTensors out;
  for (const auto& [name, tensor] : tensors) {
    const auto rule =
        std::ranges::find_if(dialect.rules, [&, key = std::string_view(name)](const Rule& r) {
          return match(r.official, key).has_value();
        });
    if (rule == dialect.rules.end()) {
      if (dialect.total)
        throw unsupported_error(
            "the \"{}\" convention has no place for {}: it cannot hold this configuration",
            dialect.name, name);
      out.emplace_back(name, tensor);
      continue;
    }
    const auto captures = *match(rule->official, name);
    const auto parts = std::ssize(rule->theirs);
    for (int64_t i = 0; i < parts; ++i)
      out.emplace_back(
          expand(rule->theirs[static_cast<size_t>(i)], captures),
          layout_from_official(slice_rows(tensor, i, parts), rule->layout, dialect.num_heads));
  }
  return out;
}

std::string official_place(const Dialect& dialect, std::string_view place) {
  for (const auto& rule : dialect.places)
    if (const auto captures = match(rule.theirs[0], place)) return expand(rule.official, *captures);
  return "";
}

}  // namespace saccade::checkpoint
