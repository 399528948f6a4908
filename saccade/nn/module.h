#pragma once
// Modules as the zoo writes them: one line for each submodule (type, member, checkpoint name,
// sizes), called like functions, with their paths known to whoever observes.

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <torch/torch.h>

namespace saccade::nn {

using torch::Tensor;

/// Not copyable: a copy would share every weight. Models are built by make_shared only.
struct Module : torch::nn::Module {
  Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
};

/// Told the path and the output of every module that is called, and of every tap (libtorch's C++
/// modules have no hooks). One observer per thread.
using Observer = std::function<void(const std::string& path, const Tensor& output)>;
/// Which paths an observer wants; it may be told of others.
using Wanted = std::function<bool(const std::string& path)>;

/// Installs an observer for the current thread until the end of the scope; without `wanted` it
/// wants everything.
class ObserverScope {
 public:
  explicit ObserverScope(Observer observer, Wanted wanted = {});
  ~ObserverScope();
  ObserverScope(const ObserverScope&) = delete;
  ObserverScope& operator=(const ObserverScope&) = delete;

 private:
  Observer outer_;
  Wanted outer_wanted_;
};

/// True if an observer wants `<current path>.<name>`: attention then yields its weights, at the
/// price of the fused form.
[[nodiscard]] bool observed(std::string_view name);
/// Offers a tensor that is no module's output under `<current path>.<name>`.
void tap(std::string_view name, const Tensor& value);
/// Dotted path of the module that is running, "" outside the model.
[[nodiscard]] const std::string& current_path();

/// Where parameters are made while a scope lives: "meta" for names and shapes without memory.
class DeviceScope {
 public:
  explicit DeviceScope(torch::Device device);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  torch::Device outer_;
};

/// Registers an uninitialised parameter under its checkpoint name; with `present` false nothing is
/// registered and the tensor is undefined (an absent bias).
Tensor parameter(torch::nn::Module* owner, std::string name, torch::IntArrayRef shape,
                 bool present = true);
/// Registers a zero-filled buffer under its checkpoint name.
Tensor buffer(torch::nn::Module* owner, std::string name, torch::IntArrayRef shape,
              torch::Dtype dtype = torch::kFloat32);

namespace detail {
/// Extends the current path for one call and offers the result on the way out.
class Call {
 public:
  explicit Call(const std::string& name);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  void offer(const Tensor& output) const;

 private:
  size_t outer_;
};
}  // namespace detail

/// Whether the configuration has a part: Child{when(c.pre_norm), this, "norm_pre", ...}.
struct Condition {
  bool present;
};
[[nodiscard]] constexpr Condition when(bool present) { return {present}; }

/// A submodule that is built, registered under its checkpoint name (dots allowed) and called like a
/// function, in one declaration. Empty for a part that the configuration lacks.
template <class M>
class Child {
 public:
  Child() = default;
  template <class... Args>
  requires std::constructible_from<M, Args...> Child(torch::nn::Module* parent, std::string name,
                                                     Args&&... args)
      : Child(parent, std::move(name), std::make_shared<M>(std::forward<Args>(args)...)) {}
  /// Empty unless the condition holds.
  template <class... Args>
  requires std::constructible_from<M, Args...> Child(Condition condition, torch::nn::Module* parent,
                                                     std::string name, Args&&... args)
      : Child(parent, std::move(name),
              condition.present ? std::make_shared<M>(std::forward<Args>(args)...) : nullptr) {}
  /// Registers a module that exists already (sharing); null leaves the child empty.
  Child(torch::nn::Module* parent, std::string name, std::shared_ptr<M> module)
      : name_(std::move(name)), module_(std::move(module)) {
    if (module_) add(parent, name_);
  }

  explicit operator bool() const { return module_ != nullptr; }
  M* operator->() const { return module_.get(); }
  M& operator*() const { return *module_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  template <class... In>
  auto operator()(In&&... in) const {
    const detail::Call call(name_);
    auto out = module_->forward(std::forward<In>(in)...);
    if constexpr (std::is_same_v<decltype(out), Tensor>) call.offer(out);
    return out;
  }

 private:
  template <class>
  friend class Children;

  /// "a.b" is registered as "b" inside a module "a", which is made if there is none.
  void add(torch::nn::Module* parent, std::string_view rest) {
    const auto dot = rest.find('.');
    const std::string first(rest.substr(0, dot));
    if (dot == rest.npos) {
      parent->register_module(first, module_);
      return;
    }
    const auto children = parent->named_children();
    const auto* known = children.find(first);
    auto holder = known ? *known : parent->register_module(first, std::make_shared<Module>());
    add(holder.get(), rest.substr(dot + 1));
  }

  std::string name_;
  std::shared_ptr<M> module_;
};

/// Submodules `<name>.0`, `<name>.1`, ...: each is what `make(i)` returns, as drop path, shift or
/// width change with depth.
template <class M>
class Children {
 public:
  Children() = default;
  template <class Make>
  Children(torch::nn::Module* parent, const std::string& name, int64_t count, Make make) {
    for (int64_t i = 0; i < count; ++i)
      children_.emplace_back(parent, name + "." + std::to_string(i), make(i));
  }
  [[nodiscard]] auto begin() const { return children_.begin(); }
  [[nodiscard]] auto end() const { return children_.end(); }
  [[nodiscard]] size_t size() const { return children_.size(); }
  const Child<M>& operator[](size_t i) const { return children_[i]; }

 private:
  std::vector<Child<M>> children_;
};

}  // namespace saccade::nn
