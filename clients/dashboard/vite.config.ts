import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** Builds what the server serves at `/`: files with a hash of their content in their names, and nothing written into the page. */
export default defineConfig({
  root: path('.'),
  logLevel: 'warn',
  define: { 'process.env.NODE_ENV': '"production"' },
  build: {
    outDir: path('../../dist/dashboard'),
    emptyOutDir: true,
    target: 'es2022',
    // The page's policy allows no script or style that is not a file of the server's.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Of everything that is in the files: their licenses ask for it.
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      onLog: (level, log, tell) => {
        // Components say that they are for browsers; everything here is.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') tell(level, log)
      },
    },
  },
  // `npx vite clients/dashboard`, beside `npm start`.
  server: { proxy: { '/graphql': { target: 'http://127.0.0.1:4000', ws: true, changeOrigin: true } } },
})
