namespace Dunlin.Runtime.Sessions;

/// <summary>A session could not be made: the file is no model that this runtime loads, or it is not the one that its manifest describes.</summary>
public sealed class ModelLoadException : Exception
{
    public ModelLoadException(string code, string message, Exception? inner = null) : base(message, inner) => Code = code;

    /// <summary><c>model.load</c>, <c>model.input</c>, <c>model.output</c>, <c>model.external-data</c>, <c>model.save</c>, <c>model.scores</c>, <c>golden.unreadable</c> or <c>provider.missing</c>.</summary>
    public string Code { get; }
}
