using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Serving;

/// <summary>What the worker runs, or will when it is up.</summary>
/// <param name="Bundle">The session's release.</param>
/// <param name="Variant">Of it.</param>
/// <param name="Session">As the worker was given it.</param>
internal sealed record Seating(Bundle Bundle, Variant Variant, SessionSpec Session)
{
    public Digest ReleaseId => Session.Release;

    public ContenderId Contender => Session.Contender;
}
