using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;

namespace Dunlin.Fleet.Signing;

/// <summary>The unlocked keys that sign one role's documents. Owns them.</summary>
internal sealed class KeyRing(IReadOnlyList<SigningKey> keys) : IDisposable
{
    public IReadOnlyList<SigningKey> Keys => keys;

    public DsseEnvelope Sign(string payloadType, ReadOnlyMemory<byte> payload) =>
        AddTo(new DsseEnvelope { PayloadType = payloadType, Payload = payload, Signatures = [] });

    /// <summary>Signatures of other keys stay.</summary>
    public DsseEnvelope AddTo(DsseEnvelope envelope) => keys.Aggregate(envelope, (signed, key) => key.AddTo(signed));

    public void Dispose()
    {
        foreach (var key in keys) key.Dispose();
    }
}
