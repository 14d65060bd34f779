namespace Dunlin.Runtime.ModelCheck;

/// <summary>The operator sets that a model imports. Exporters list domains that no node uses; those do not matter.</summary>
internal sealed class OpsetImports(WalkState walk)
{
    private const string Message = "an operator set";
    private readonly Dictionary<string, (long Version, long Position)> _versions = new(StringComparer.Ordinal);

    public void Add(in WireField field)
    {
        const int domainField = 1, versionField = 2;
        walk.Require(field, WireType.Bytes, Message);
        walk.Count(_versions.Count + 1, CheckLimits.OpsetImports, field, "operator sets");
        var once = new Once();
        var (domain, version) = ("", 0L);
        while (walk.Reader.Next(field.End, out var part))
        {
            once.Take(walk, part);
            if (part.Number == domainField) domain = walk.Name(part, Message);
            else if (part is { Number: versionField, Type: WireType.Varint }) version = unchecked((long)part.Value);
            else throw walk.Unknown(part, Message);
        }

        if (domain == "ai.onnx") domain = "";
        if (!_versions.TryAdd(domain, (version, field.Start)))
            throw walk.Refuse(CheckCodes.Opset, field.Start, $"the domain {Shown.Name(domain)} is imported twice", "export the model again");
    }

    public void Finish(IReadOnlySet<string> used)
    {
        foreach (var domain in used)
        {
            if (!_versions.TryGetValue(domain, out var import))
                throw walk.Refuse(CheckCodes.Domain, walk.Reader.Length, $"a node uses the domain {Shown.Name(domain)}, which the model does not import", "export the model again");
            var (oldest, newest) = domain.Length == 0 ? (OnnxVersions.OldestOpset, OnnxVersions.NewestOpset) : (OnnxVersions.MicrosoftOpset, OnnxVersions.MicrosoftOpset);
            if (import.Version < oldest || import.Version > newest)
                throw walk.Refuse(CheckCodes.Opset, import.Position, $"the operator set {Shown.Name(domain)} is of version {import.Version}, and this agent knows {oldest}…{newest}", "export the model for one of those, or update the agent");
        }
    }
}
