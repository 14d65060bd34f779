using System.Net.Http.Headers;
using System.Text;
using Dunlin.Agent.Configuration;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>Reads the secrets of a credential at the moment of use, so that a renewed file counts.</summary>
internal static class CredentialSecrets
{
    /// <exception cref="AccessFileException">The file cannot be read, or its first line is empty.</exception>
    public static async Task<string> ReadSecretAsync(this HostCredential credential, CancellationToken cancellationToken)
    {
        if (credential.Password.Length > 0) return credential.Password;
        if (credential.Token.Length > 0) return credential.Token;
        var (name, file) = credential.IsToken ? (nameof(credential.TokenFile), credential.TokenFile) : (nameof(credential.PasswordFile), credential.PasswordFile);
        var key = $"{name} of Updates:Credentials for {credential.Host}";
        try
        {
            using var reader = new StreamReader(file, Encoding.UTF8);
            return (await reader.ReadLineAsync(cancellationToken))?.Trim() is { Length: > 0 } secret ? secret : throw new AccessFileException(key, file, "Its first line is empty.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AccessFileException(key, file, e.Message);
        }
    }

    /// <summary>Why the secret cannot be read, in a sentence; null if it can.</summary>
    public static async Task<string?> ProblemAsync(this HostCredential credential, CancellationToken cancellationToken)
    {
        try
        {
            await credential.ReadSecretAsync(cancellationToken);
            return null;
        }
        catch (AccessFileException e)
        {
            return e.Message;
        }
    }

    /// <inheritdoc cref="ReadSecretAsync"/>
    public static async Task<AuthenticationHeaderValue> BasicAsync(this HostCredential credential, CancellationToken cancellationToken)
    {
        var secret = await credential.ReadSecretAsync(cancellationToken);
        return new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.UserName}:{secret}")));
    }
}
