import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

/** Of a text as it is sent; the first that a browser takes. */
const ENCODINGS = ['br', 'gzip', 'identity'] as const
type Encoding = (typeof ENCODINGS)[number]

/** A third of the bytes of gzip's fastest for a second of work for 9 MB, which is done once. */
const BROTLI_QUALITY = 5

/** Bytes that many browsers ask for: compressed once, at the first request for an encoding, and the same for everybody. */
export class EncodedBytes {
  /** Of all encodings alike: hence weak. */
  readonly etag: string
  readonly #bytes: Buffer
  readonly #encoded = new Map<Encoding, Promise<Buffer>>()

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.etag = `W/"${createHash('sha256').update(bytes).digest('base64url')}"`
  }

  /** Whether a browser has them already, by its If-None-Match. */
  isHeldBy(ifNoneMatch: string | undefined): boolean {
    if (ifNoneMatch === undefined) return false
    return ifNoneMatch.trim() === '*' || ifNoneMatch.includes(this.etag.slice(2))
  }

  /** As a browser takes them, by its Accept-Encoding. */
  async for(acceptEncoding: string | undefined): Promise<{ bytes: Buffer; headers: Record<string, string> }> {
    const encoding = encodingFor(acceptEncoding)
    const bytes = await this.#encode(encoding)
    return { bytes, headers: encoding === 'identity' ? {} : { 'content-encoding': encoding } }
  }

  #encode(encoding: Encoding): Promise<Buffer> {
    let encoded = this.#encoded.get(encoding)
    if (!encoded) {
      encoded = ENCODE[encoding](this.#bytes)
      encoded.catch(() => this.#encoded.delete(encoding))
      this.#encoded.set(encoding, encoded)
    }
    return encoded
  }
}

/** In threads of Node's, so that nobody waits but who asked. */
const ENCODE: Readonly<Record<Encoding, (bytes: Buffer) => Promise<Buffer>>> = {
  br: (bytes) =>
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  gzip: (bytes) => promisify(gzip)(bytes),
  identity: async (bytes) => bytes,
}

function encodingFor(header = ''): Encoding {
  const accepted = new Map(
    header.split(',').map((part) => {
      const [name = '', ...params] = part.split(';').map((text) => text.trim().toLowerCase())
      return [name, !params.some((param) => /^q=0(\.0*)?$/.test(param))]
    }),
  )
  return ENCODINGS.find((encoding) => accepted.get(encoding) ?? accepted.get('*')) ?? 'identity'
}
