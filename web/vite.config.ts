import { defineConfig } from 'vite'

/** The explorer as the API serves it: hashed files below /assets, and a page that the server completes. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // The packages' own warnings about /* @__PURE__ */ and the like are nobody's business here.
  logLevel: 'warn',
  build: {
    outDir: '../build/web',
    emptyOutDir: true,
    manifest: true,
    // A style or script in the page would need an exception in its content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: ['chrome111', 'firefox116', 'safari16.4'],
  },
})
