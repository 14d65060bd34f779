using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Signing;

/// <summary>What must hold in a fresh document, whoever it is for.</summary>
internal static class FreshRules
{
    internal static void Check(Fresh d, Findings f)
    {
        f.Schema("$.schema", d.Schema, Fresh.CurrentSchema);
        f.Name("$.fleet", d.Fleet);
        f.Name("$.device", d.Device);
        f.Between("$.counter", d.Counter, 0, long.MaxValue, "");
        f.SignedTime("$.time", d.Time);
        f.Require(d.Expires > d.Time, "$.expires", d.Expires, "must be after time", "correct the value");
    }
}
