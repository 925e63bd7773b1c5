import { defineConfig } from 'vite'

/** The frame and what it is made of. */
const EVERYWHERE =
  /\/node_modules\/(preact|preact-iso|@preact|blo)\/|\/web\/([a-z-]+\.tsx?|generated\/(frame|overview)\.ts|charts\/(bars|turnout-bars)\.tsx|pages\/overview\.tsx|parts\/(exact-popover|figures|freshness|header|page|panel|place|proposals|theme)\.tsx?)$|rolldown\/runtime|vite\/preload-helper/

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
    rolldownOptions: {
      output: {
        codeSplitting: {
          // What every page needs comes as one file, and not as one for each set of pages that shares a part of it.
          groups: [{ name: 'index', test: EVERYWHERE }],
        },
      },
    },
    target: ['chrome111', 'firefox116', 'safari16.4'],
  },
})
