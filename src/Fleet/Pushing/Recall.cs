using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Fleet.Ledgers;

namespace Dunlin.Fleet.Pushing;

/// <summary>Where a device goes from a release that is taken back.</summary>
internal sealed record WayBack(string Device, KnownRelease Target, IReadOnlyList<ArtifactSource> Sources);

/// <summary>Which devices run a release that is taken back, as far as the ledger knows, and what each ran before.</summary>
internal sealed class Recall(Ledger ledger, Digest bad, Root root)
{
    /// <summary>Devices that were told to run it last, and those that may run it still, since nothing that they were told later is known to be committed.</summary>
    /// <returns>Each, and whether that is certain.</returns>
    public IReadOnlyList<(string Device, bool IsCertain)> Concerned() =>
        [.. ledger.Newest().Select(newest => ledger.History(newest.Device)).Where(MayRun).Select(history => (history[0].Device, IsCertain(history)))];

    /// <summary>The way to what a device committed before; null: there is nothing that the present root accepts, or nobody has its files.</summary>
    /// <param name="device">Which.</param>
    /// <param name="named">Sources that were named; none: where it was published, and where the device had it from.</param>
    public WayBack? Before(string device, IReadOnlyList<ArtifactSource> named) =>
        ledger.History(device).Where(directive => directive.Release != bad && directive.Result == UpdateState.Committed)
            .Select(directive => ledger.Release(directive.Release) is { Revoked: null } release && release.IsSigned(root) ? new WayBack(device, release, Sources(directive, named)) : null)
            .FirstOrDefault(way => way is not null) is { Sources.Count: > 0 } found ? found : null;

    private bool MayRun(IReadOnlyList<IssuedDirective> history) =>
        history[0].Release == bad || SinceLastCommit(history).Any(directive => directive.Release == bad && directive.Result is null or UpdateState.Committed);

    private bool IsCertain(IReadOnlyList<IssuedDirective> history) =>
        history[0].Release == bad || SinceLastCommit(history).TakeWhile(directive => directive.Release != bad || directive.Result != UpdateState.Committed).All(directive => directive.Result is not null);

    private IEnumerable<IssuedDirective> SinceLastCommit(IReadOnlyList<IssuedDirective> history) =>
        history.TakeWhile(directive => directive.Release == bad || directive.Result != UpdateState.Committed);

    private IReadOnlyList<ArtifactSource> Sources(IssuedDirective directive, IReadOnlyList<ArtifactSource> named)
    {
        IEnumerable<ArtifactSource> known = named.Count > 0 ? named : ledger.Sources(directive.Release).Concat(SourcesOf(directive)).Distinct().OrderBy(source => source.Kind == SourceKind.Mqtt);
        return [.. known.Where(source => source.Kind != SourceKind.Mqtt || ledger.SizeOfPublished(directive.Release) is not null).Take(3)];
    }

    private static IReadOnlyList<ArtifactSource> SourcesOf(IssuedDirective directive) =>
        Directive.Format.Read(DsseEnvelope.Format.Read(directive.Envelope.Span).GetOrThrow().Payload.Span).GetOrThrow().Sources;
}
