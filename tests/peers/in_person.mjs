// Side by side, as far as @owf/mdoc goes: engagement, request with reader authentication, response; it has no session encryption
// (ISO/IEC 18013-5 section 9.1.1), so the test hands over what would be in the messages. One job on standard input, one answer.
//   engage   {device}                                                            → {engagement}
//   respond  {engagement, established, request, issued, holder, names}           → {response, asked, faults} or {error}
//   ask      {engagement, reader, x5c, signer, docType, nameSpace, names}        → {request, readerKey}
//   verify   {engagement, readerKey, response, anchor, nameSpace}                → {elements, faults}
// Bytes are base64url, keys JWKs, certificates base64 DER.
import {
  cborDecode, cborEncode, DataItem, DeviceEngagement, DeviceRequest, DeviceResponse, DocRequest, EDeviceKey, EReaderKey, Holder, IssuerSigned, ItemsRequest,
  ProtectedHeaders, ReaderAuth, Security, SessionTranscript, SignatureAlgorithm, UnprotectedHeaders, Header, Verifier,
} from '@owf/mdoc'
import { body, say } from './common.mjs'
import { context, coseKey, jwk } from './owf.mjs'

const job = JSON.parse(await body(process.stdin))
const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64url'))
const text = (buffer) => Buffer.from(buffer).toString('base64url')
const publicOf = (key) => jwk({ ...key, d: undefined })
const transcript = (eReaderKey) => SessionTranscript.forQrHandover({ deviceEngagement: DeviceEngagement.decode(bytes(job.engagement)), eReaderKey })

const does = {
  engage: async () => {
    const security = Security.create({ cipherSuiteIdentifier: 1, eDeviceKey: EDeviceKey.fromJwk(publicOf(job.device)) })
    // `create` gives what it is given to its own decoder: so it is given what stands in the bytes.
    return { engagement: text(DeviceEngagement.create({ version: '1.0', security: security.encodedStructure }).encode()) }
  },

  respond: async () => {
    const established = cborDecode(bytes(job.established))
    const eReaderKey = EReaderKey.decode(established.get('eReaderKey').buffer)
    const sessionTranscript = transcript(eReaderKey)
    const deviceRequest = DeviceRequest.decode(bytes(job.request))
    const faults = []
    await Holder.verifyDeviceRequest({ deviceRequest, sessionTranscript, verificationCallback: ({ status, check }) => status === 'FAILED' && faults.push(check) }, context())
    const response = await Holder.createDeviceResponseForDeviceRequest({
      deviceRequest, sessionTranscript, issuerSigned: [IssuerSigned.fromEncodedForOid4Vci(job.issued)], signature: { signingKey: coseKey(job.holder, 'ES256') },
    }, context())
    return { response: text(response.encode()), faults, signed: Boolean(deviceRequest.docRequests[0].readerAuth) }
  },

  ask: async () => {
    const eReaderKey = EReaderKey.fromJwk(publicOf(job.reader))
    const namespaces = { [job.nameSpace]: Object.fromEntries(job.names.map((name) => [name, true])) }
    const itemsRequest = ItemsRequest.create({ docType: job.docType, namespaces })
    // ISO/IEC 18013-5 section 9.1.4.4; the library has it, and does not let anybody use it.
    const detached = cborEncode(DataItem.fromData(['ReaderAuthentication', transcript(eReaderKey).encodedStructure, DataItem.fromData(itemsRequest.encodedStructure)]))
    const readerAuth = await ReaderAuth.create({
      protectedHeaders: ProtectedHeaders.create({ protectedHeaders: new Map([[Header.Algorithm, SignatureAlgorithm.ES256]]) }),
      unprotectedHeaders: UnprotectedHeaders.create({ unprotectedHeaders: new Map([[Header.X5Chain, job.x5c.map((c) => new Uint8Array(Buffer.from(c, 'base64')))[0]]]) }),
      detachedPayload: detached, signingKey: coseKey(job.signer, 'ES256'),
    }, context())
    const request = DeviceRequest.create({ version: '1.0', docRequests: [DocRequest.create({ itemsRequest, readerAuth })] })
    return { request: text(request.encode()), readerKey: text(eReaderKey.encode()) }
  },

  verify: async () => {
    const deviceResponse = DeviceResponse.decode(bytes(job.response))
    const faults = []
    await Verifier.verifyDeviceResponse({
      deviceResponse, sessionTranscript: transcript(EReaderKey.decode(bytes(job.readerKey))), trustedCertificates: [new Uint8Array(Buffer.from(job.anchor, 'base64'))],
      onCheck: ({ status, check }) => status === 'FAILED' && faults.push(check),
    }, context())
    return { elements: deviceResponse.documents[0].issuerSigned.getPrettyClaims(job.nameSpace), faults }
  },
}
try {
  say(await does[job.do]())
} catch (error) {
  say({ error: String(error.message), stack: error.stack })
}
