// Mobile documents as others make and read them: `node mdoc.mjs auth0|owf`, one job on standard input, one answer on standard output.
//   issue    {docType, nameSpace, elements, issuer, chain, holder}            → {issued}
//   present  {issued, docType, nameSpace, names, holder, session, [reader]}   → {presented}   with `reader` (its public key) by MAC
//   verify   {presented, nameSpace, anchor, session, [reader]}                → {elements, faults}
// Bytes are base64url, keys JWKs, certificates base64 DER. `session` is what a request by OpenID4VP says; `transcript` its bytes,
// for a library that does not know how to make them. `mend` puts in what @owf/mdoc leaves out of a MAC (docs/peers.md).
import { createRequire } from 'node:module'
import { body, say } from './common.mjs'

const [library] = process.argv.slice(2)
const job = JSON.parse(await body(process.stdin))
const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64url'))
const text = (buffer) => Buffer.from(buffer).toString('base64url')
const year = () => new Date(Date.now() + 300 * 86_400_000)

const auth0 = () => {
  const require = createRequire(import.meta.url)
  const { Document, DeviceResponse, MDoc, Verifier } = require('@auth0/mdl')
  const { cborDecode, cborEncode, DataItem } = require('@auth0/mdl/lib/cbor')
  const { COSEKeyFromJWK } = require('cose-kit')
  const key = ({ kty, crv, x, y, d }) => ({ kty, crv, x, y, d, kid: 'device' })
  const transcript = () => cborEncode(new DataItem({ buffer: bytes(job.transcript) }))
  const document = (issued) => cborEncode(new Map([
    ['version', '1.0'], ['documents', [new Map([['docType', job.docType], ['issuerSigned', cborDecode(issued)]])]], ['status', 0],
  ]))
  return {
    issue: async () => {
      const document = await new Document(job.docType)
        .addIssuerNameSpace(job.nameSpace, job.elements)
        .useDigestAlgorithm('SHA-256')
        .addValidityInfo({ signed: new Date(), validUntil: year() })
        .addDeviceKeyInfo({ deviceKey: job.holder })
        .sign({ issuerPrivateKey: { ...job.issuer, alg: 'ES256' }, issuerCertificate: job.chain.map((c) => new Uint8Array(Buffer.from(c, 'base64'))), alg: 'ES256', kid: job.kid })
      return { issued: text(cborEncode(cborDecode(new MDoc([document]).encode()).get('documents')[0].get('issuerSigned'))) }
    },
    present: async () => {
      const fields = job.names.map((name) => ({ path: [`$['${job.nameSpace}']['${name}']`], intent_to_retain: false }))
      const descriptor = { id: job.docType, format: { mso_mdoc: { alg: ['ES256'] } }, constraints: { limit_disclosure: 'required', fields } }
      const response = DeviceResponse.from(document(bytes(job.issued)))
        .usingPresentationDefinition({ id: 'request', input_descriptors: [descriptor] })
        .usingSessionTranscriptBytes(transcript())
      const signed = job.reader
        ? response.authenticateWithMAC(key(job.holder), COSEKeyFromJWK(job.reader), 'HS256')
        : response.authenticateWithSignature(key(job.holder), 'ES256')
      return { presented: text((await signed.sign()).encode()) }
    },
    verify: async () => {
      const pem = `-----BEGIN CERTIFICATE-----\n${job.anchor.match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----`
      const faults = []
      const mdoc = await new Verifier([pem]).verify(bytes(job.presented), {
        encodedSessionTranscript: transcript(), ephemeralReaderKey: job.reader && COSEKeyFromJWK(job.reader),
        onCheck: ({ status, check }) => status === 'FAILED' && faults.push(check),
      })
      return { elements: mdoc.documents[0].getIssuerNameSpace(job.nameSpace), faults }
    },
  }
}

const owf = async () => {
  const { DeviceAuthentication, DeviceKey, DeviceRequest, DeviceResponse, DocRequest, Holder, Issuer, IssuerSigned, ItemsRequest, SessionTranscript, SignatureAlgorithm, Verifier } =
    await import('@owf/mdoc')
  const { context: contextOf, coseKey: key, jwk } = await import('./owf.mjs')
  const context = contextOf({ mend: job.mend, high: job.high, agreeing: { ...job.reader, ...job.holder } })
  // The transcript is its own work: from the parameters of the request, not from our bytes.
  const transcript = () => SessionTranscript.forOid4Vp({ ...job.session, jwkThumbprint: job.session.jwkThumbprint && bytes(job.session.jwkThumbprint) }, context)
  return {
    issue: async () => {
      const signed = await new Issuer(job.docType, context).addIssuerNamespace(job.nameSpace, job.elements).sign({
        signingKey: key(job.issuer, 'ES256'), algorithm: SignatureAlgorithm.ES256, digestAlgorithm: 'SHA-256',
        validityInfo: { signed: new Date(), validFrom: new Date(), validUntil: year() }, deviceKeyInfo: { deviceKey: DeviceKey.fromJwk(jwk(job.holder)) },
        certificates: job.chain.map((c) => new Uint8Array(Buffer.from(c, 'base64'))),
      })
      return { issued: signed.encodedForOid4Vci }
    },
    present: async () => {
      const namespaces = { [job.nameSpace]: Object.fromEntries(job.names.map((name) => [name, false])) }
      const deviceRequest = DeviceRequest.create({ docRequests: [DocRequest.create({ itemsRequest: ItemsRequest.create({ docType: job.docType, namespaces }) })] })
      const signingKey = key(job.holder, job.reader ? 'HS256' : 'ES256')
      const response = await Holder.createDeviceResponseForDeviceRequest({
        deviceRequest, sessionTranscript: await transcript(), issuerSigned: [IssuerSigned.fromEncodedForOid4Vci(job.issued)],
        ...(job.reader ? { mac: { signingKey, ephemeralKey: key(job.reader) } } : { signature: { signingKey } }),
      }, context)
      return { presented: response.encodedForOid4Vp }
    },
    verify: async () => {
      const deviceResponse = DeviceResponse.fromEncodedForOid4Vp(job.presented)
      const faults = []
      const [{ docType, deviceSigned: { deviceAuth, deviceNamespaces }, issuerSigned: { issuerAuth } }] = deviceResponse.documents
      if (job.mend) {
        // Around `Verifier`, which takes no MAC: the MAC by itself.
        const sessionTranscript = await transcript()
        deviceAuth.deviceMac.detachedPayload = DeviceAuthentication.create({ sessionTranscript, docType, deviceNamespaces }).encode({ asDataItem: true })
        const { deviceKey } = issuerAuth.mobileSecurityObject.deviceKeyInfo
        const holds = await deviceAuth.deviceMac.verify({ publicKey: deviceKey, privateKey: key(job.reader), sessionTranscript }, context)
        return { elements: deviceResponse.documents[0].issuerSigned.getPrettyClaims(job.nameSpace), faults: holds ? [] : ['MAC'] }
      }
      await Verifier.verifyDeviceResponse({
        deviceResponse, sessionTranscript: await transcript(), trustedCertificates: [new Uint8Array(Buffer.from(job.anchor, 'base64'))],
        ephemeralReaderKey: job.reader && key(job.reader), onCheck: ({ status, check }) => status === 'FAILED' && faults.push(check),
      }, context)
      return { elements: deviceResponse.documents[0].issuerSigned.getPrettyClaims(job.nameSpace), faults }
    },
  }
}

const doer = library === 'auth0' ? auth0() : await owf()
try {
  say(await doer[job.do]())
} catch (error) {
  say({ error: String(error.message), stack: error.stack })
}
