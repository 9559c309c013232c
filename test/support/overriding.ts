/** The same object, some of its members replaced: to let a real part fail at one point. */
export function overriding<T extends object> (target: T, overrides: Partial<T>): T {
  return new Proxy(target, {
    get (_, property) {
      if (property in overrides) return overrides[property as keyof T]
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? value.bind(target) as unknown : value
    },
    set: (_, property, value) => Reflect.set(target, property, value, target)
  })
}
