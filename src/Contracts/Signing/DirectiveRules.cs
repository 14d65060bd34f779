using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Signing;

/// <summary>What must hold in a directive, whoever it is for.</summary>
internal static class DirectiveRules
{
    internal const int MaximumSourceCount = 3;

    internal static void Check(Directive d, Findings f)
    {
        f.Schema("$.schema", d.Schema, Directive.CurrentSchema);
        f.Name("$.fleet", d.Fleet);
        f.Name("$.device", d.Device);
        f.Between("$.counter", d.Counter, 1, long.MaxValue, "");
        f.Blob("$.signature", d.Signature, DsseEnvelope.Format.MaximumByteCount);
        f.SignedTime("$.issued", d.Issued);
        f.Require(d.Expires > d.Issued, "$.expires", d.Expires, "must be after issued", "correct the value");
        if (f.Items("$.sources", d.Sources, 1, MaximumSourceCount))
        {
            for (var i = 0; i < d.Sources.Count; i++) Source($"$.sources[{i}]", d.Sources[i], f);
        }
        f.Between("$.policy.trialSeconds", d.Policy.TrialSeconds, 1, DirectivePolicy.MaximumTrialSeconds, "s");
        f.Between("$.policy.minimumRuns", d.Policy.MinimumRuns, 1, int.MaxValue, "runs");
        f.Require(d.Policy.MaximumP95Milliseconds is null or (> 0 and < double.PositiveInfinity), "$.policy.maximumP95Milliseconds", d.Policy.MaximumP95Milliseconds, "must be above 0", "correct the value, or leave it out");
        f.Require(d.Policy.Objective is not { } o || Enum.IsDefined(o), "$.policy.objective", d.Policy.Objective, "must be latency, energy or product", "correct the value");
    }

    private static void Source(string path, ArtifactSource source, Findings f)
    {
        string[] schemes = source.Kind switch
        {
            SourceKind.Oci => ["oci"],
            SourceKind.Http => ["https", "http"],
            _ => [],
        };
        if (schemes.Length == 0)
        {
            f.Require(source.Kind == SourceKind.Mqtt, $"{path}.kind", source.Kind, "must be oci, http or mqtt", "correct the value");
            f.Require(source.Location is null, $"{path}.location", source.Location, "must be absent for mqtt", "leave it out");
            return;
        }
        // Credentials never travel in a directive: they are bound to their host in the device's own configuration.
        var isGood = source.Location is { Length: <= 1024 } && Uri.TryCreate(source.Location, UriKind.Absolute, out var uri)
            && schemes.Contains(uri.Scheme) && uri.Host.Length > 0 && uri.UserInfo.Length == 0 && uri.Query.Length == 0 && uri.Fragment.Length == 0;
        f.Require(isGood, $"{path}.location", source.Location,
            $"must be a URL with the scheme {string.Join(" or ", schemes)} and a host, without user, query and fragment, of at most 1024 characters", "correct the value");
    }
}
