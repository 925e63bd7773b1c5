import { type Browser, chromium } from 'playwright-core'

/**
 * Not the package's own, which put all into one process and take the web's security away. Nothing is looked up, updated or
 * drawn by hardware that is not there.
 */
const FLAGS = [
  '--no-sandbox',
  '--no-zygote',
  '--font-render-hinting=none',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A real Chromium out of an npm package, with the shared libraries that a bare Debian lacks. */
export async function launchBrowser(): Promise<Browser> {
  // Read when the package is loaded: it brings its libraries only where it takes the machine for AWS Lambda.
  process.env.AWS_LAMBDA_JS_RUNTIME ??= 'nodejs22.x'
  const { default: packaged } = await import('@sparticuz/chromium')
  return chromium.launch({
    executablePath: await packaged.executablePath(),
    args: FLAGS,
    headless: true,
  })
}
