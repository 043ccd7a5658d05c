// What @owf/mdoc asks for: cryptography and certificates, over Node's own crypto.
import { createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman, hkdfSync, randomBytes, sign, verify, X509Certificate } from 'node:crypto'
import { CoseKey, cborDecode, cborEncode } from '@owf/mdoc'

const text = (buffer) => Buffer.from(buffer).toString('base64url')
export const jwk = ({ kty, crv, x, y, d }) => ({ kty, crv, x, y, ...(d ? { d } : {}) })
export const coseKey = (k, algorithm) => CoseKey.fromJwk({ ...jwk(k), ...(algorithm ? { alg: algorithm } : {}) })

/** The context; `mend` puts in what the library leaves out of a MAC, `high` lets its digest identifiers be too high, `agreeing` is the key that agrees (docs/peers.md). */
export function context({ mend = false, high = false, agreeing = {} } = {}) {
  const certificate = (der) => new X509Certificate(Buffer.from(der))
  // The structure of RFC 9052 section 6.3 has four members; the library leaves `external_aad` out.
  const whole = (authenticated) => {
    const members = cborDecode(authenticated)
    return mend && members.length === 3 ? cborEncode([members[0], members[1], new Uint8Array(), members[2]]) : authenticated
  }
  const point = (encoded) => ({ kty: 'EC', crv: 'P-256', x: text(encoded.slice(1, 33)), y: text(encoded.slice(33)) })
  const mac = (key, authenticated) => createHmac('sha256', key.k ?? key.privateKey).update(whole(authenticated)).digest()
  return {
    crypto: {
      // Four bytes are a digest identifier, which must be below 2^31 (ISO/IEC 18013-5 section 9.1.2.5): the library takes all 32 bits.
      random: (length) => {
        const drawn = new Uint8Array(randomBytes(length))
        if (length === 4) drawn[0] = high ? drawn[0] | 0x80 : drawn[0] & 0x7f
        return drawn
      },
      digest: ({ digestAlgorithm, bytes }) => new Uint8Array(createHash(digestAlgorithm.replace('-', '')).update(bytes).digest()),
      // Asked with encoded keys where a MAC is made, and with bare ones where it is verified.
      calculateEphemeralMacKey: ({ privateKey, publicKey, sessionTranscriptBytes, info }) => {
        const own = privateKey.length === 32 ? { d: text(privateKey) } : CoseKey.decode(privateKey).jwk
        const theirs = publicKey.length === 65 ? point(publicKey) : jwk(CoseKey.decode(publicKey).jwk)
        const secret = diffieHellman({
          privateKey: createPrivateKey({ key: jwk({ ...agreeing, ...own }), format: 'jwk' }),
          publicKey: createPublicKey({ key: { ...theirs, d: undefined }, format: 'jwk' }),
        })
        const salt = createHash('sha256').update(sessionTranscriptBytes).digest()
        return CoseKey.create({ keyType: 4, k: new Uint8Array(hkdfSync('sha256', secret, salt, info, 32)) })
      },
    },
    cose: {
      sign1: {
        sign: ({ key, toBeSigned }) =>
          new Uint8Array(sign('sha256', toBeSigned, { key: createPrivateKey({ key: jwk(key.jwk), format: 'jwk' }), dsaEncoding: 'ieee-p1363' })),
        verify: ({ key, sign1 }) =>
          verify('sha256', sign1.toBeSigned, { key: createPublicKey({ key: jwk(key.jwk), format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, sign1.signature),
      },
      mac0: {
        sign: ({ key, toBeAuthenticated }) => new Uint8Array(mac(key, toBeAuthenticated)),
        verify: ({ key, mac0 }) => mac(key, mac0.toBeAuthenticated).equals(Buffer.from(mac0.tag)),
      },
    },
    x509: {
      getIssuerNameField: ({ certificate: der, field }) =>
        certificate(der).issuer.split('\n').filter((line) => line.startsWith(`${field}=`)).map((line) => line.slice(field.length + 1)),
      getPublicKey: ({ certificate: der }) => CoseKey.fromJwk(certificate(der).publicKey.export({ format: 'jwk' })),
      verifyCertificateChain: ({ trustedCertificates, x5chain }) => {
        const chain = [...x5chain, trustedCertificates[0]].map(certificate)
        const now = new Date()
        chain.slice(0, -1).forEach((c, n) => {
          if (!c.verify(chain[n + 1].publicKey) || !c.checkIssued(chain[n + 1])) throw new Error(`certificate ${n} is not by the one above it`)
          if (new Date(c.validFrom) > now || new Date(c.validTo) < now) throw new Error(`certificate ${n} is out of its time`)
        })
      },
      getCertificateData: ({ certificate: der }) => {
        const c = certificate(der)
        return {
          issuerName: c.issuer, subjectName: c.subject, serialNumber: c.serialNumber, thumbprint: c.fingerprint256,
          notBefore: new Date(c.validFrom), notAfter: new Date(c.validTo), pem: c.toString(),
        }
      },
    },
  }
}
