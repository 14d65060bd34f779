using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Serving;

/// <summary>What the worker runs, or will when it is up.</summary>
/// <param name="Variant">Of the session's release.</param>
/// <param name="Session">As the worker was given it.</param>
internal sealed record Seating(Variant Variant, SessionSpec Session)
{
    public Digest ReleaseId => Session.Release;

    public ContenderId Contender => Session.Contender;
}
