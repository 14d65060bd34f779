using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Race;

namespace Dunlin.Runtime.Racing;

/// <summary>Names the conditions of a race: the digest of their JSON, with every list in a fixed order.</summary>
public static class Fingerprint
{
    public static Digest Of(RaceConditions conditions)
    {
        var canonical = conditions with
        {
            Contenders = [.. conditions.Contenders.OrderBy(id => id.Variant, StringComparer.Ordinal)
                .ThenBy(id => id.ExecutionProvider, StringComparer.Ordinal).ThenBy(id => id.Threads)],
            ExecutionProviders = [.. conditions.ExecutionProviders.Order(StringComparer.Ordinal)],
        };
        return Digest.Of(JsonSerializer.SerializeToUtf8Bytes(canonical, StrictJson.Default.RaceConditions));
    }
}
